//! Tells others of changes. One node of all sends, under a lease; each target at its own pace.
//!
//! What is to be sent is in the document, and what became of it goes back there: a node that dies has
//! lost nothing, and what it has sent without noting it is sent again with the same id.

mod address;
mod desk;
mod payload;
mod sender;
mod silences;
mod target;

pub(crate) use self::{
    desk::{NoticeDesk, TextOf},
    payload::data as data_of,
    sender::Sender,
    target::{Kind, Target},
};
