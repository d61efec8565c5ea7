mod calls;
mod reply;
mod request;
mod stream;
