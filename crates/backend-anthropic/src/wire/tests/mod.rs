mod limits;
mod mutations;
mod reply;
mod request;
mod stream;
