//! The body of what comes out of the middleware.

use std::{
    error::Error as StdError,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use pin_project_lite::pin_project;

use crate::admission::Inside;

pin_project! {
    /// The body of a response that went through the middleware: the app's own, or a refusal.
    #[derive(Debug)]
    pub struct MaintenanceBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = KindProjection]
    enum Kind<B> {
        // Not optional, so that the kind of body costs no space of its own.
        Passed { #[pin] body: B, inside: Inside },
        Refused { #[pin] body: BoxBody },
    }
}

impl<B> MaintenanceBody<B> {
    #[inline]
    pub(crate) fn passed(body: B, inside: Inside) -> Self {
        Self {
            kind: Kind::Passed { body, inside },
        }
    }

    pub(crate) fn refused(body: BoxBody) -> Self {
        Self {
            kind: Kind::Refused { body },
        }
    }
}

impl<B> MessageBody for MaintenanceBody<B>
where
    B: MessageBody,
    B::Error: Into<Box<dyn StdError>>,
{
    type Error = Box<dyn StdError>;

    #[inline]
    fn size(&self) -> BodySize {
        match &self.kind {
            Kind::Passed { body, .. } => body.size(),
            Kind::Refused { body } => body.size(),
        }
    }

    #[inline]
    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.project().kind.project() {
            KindProjection::Passed { body, .. } => body
                .poll_next(context)
                .map(|chunk| chunk.map(|chunk| chunk.map_err(Into::into))),
            KindProjection::Refused { body } => body.poll_next(context),
        }
    }

    #[inline]
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            // Its bytes alone would be inside no longer, although they are still to be sent.
            kind @ Kind::Passed { .. } => Err(Self { kind }),
            Kind::Refused { body } => body.try_into_bytes().map_err(Self::refused),
        }
    }
}
