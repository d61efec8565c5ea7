mod broken;
mod calls;
mod limits;
mod reply;
mod request;
mod stream;
