mod broken;
mod calls;
mod delta;
mod limits;
mod reply;
mod request;
mod stream;
