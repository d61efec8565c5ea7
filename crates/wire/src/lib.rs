#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod answer;
mod arguments;
mod array;
mod body;
mod budget;
mod error;
mod lenient;
mod members;
mod object;
mod origin;
mod rest;
mod stream;
mod surrogate;

pub use answer::{ANSWER_LIMIT, Parse, broken_off, chat_reply, chat_stream, error_in, metadata, read_json};
pub use arguments::Arguments;
pub use budget::{Budget, member_weight, weight};
pub use error::{read_error, told_error};
pub use lenient::{Content, Count, Text};
pub use members::Members;
pub use object::{
    ITEMS_LIMIT, Items, Object, Optional, Place, TakesAny, from_slice, from_str, other_items, read_first,
    read_into, read_slice, read_str,
};
pub use origin::Origin;
pub use rest::{Join, append, keep, keep_count, merge, pass_over, replace, said};
pub use stream::{Fault, Progress, StreamDecoder};
