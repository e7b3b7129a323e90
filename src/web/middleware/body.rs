//! The body of what comes out of the middleware.

use std::{
    error::Error as StdError,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use pin_project_lite::pin_project;

use crate::{
    engine::leases::deadline::Deadline,
    web::middleware::{
        admission::Inside,
        cut_off::{Bound, CutOff},
    },
};

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
        // What is bound to a lease is rare, and is not to make the others larger.
        Bound { #[pin] body: B, bound: Box<Bound> },
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

    /// Binds what has passed to a lease: once that is lost, nothing more of it is sent.
    pub(crate) fn bound_to(self, lease: Arc<Deadline>) -> Self {
        match self.kind {
            Kind::Passed { body, inside } => Self {
                kind: Kind::Bound {
                    body,
                    bound: Box::new(Bound {
                        lease,
                        _inside: inside,
                    }),
                },
            },
            kind => Self { kind },
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
            Kind::Passed { body, .. } | Kind::Bound { body, .. } => body.size(),
            Kind::Refused { body } => body.size(),
        }
    }

    // What almost every body is must not cost a call of its own.
    #[inline(always)]
    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match self.as_mut().project().kind.project() {
            KindProjection::Passed { body, .. } => body
                .poll_next(context)
                .map(|chunk| chunk.map(|chunk| chunk.map_err(Into::into))),
            _ => self.poll_other(context),
        }
    }

    #[inline]
    fn try_into_bytes(self) -> Result<Bytes, Self> {
        match self.kind {
            // Its bytes alone would be inside no longer, although they are still to be sent.
            kind @ (Kind::Passed { .. } | Kind::Bound { .. }) => Err(Self { kind }),
            Kind::Refused { body } => body.try_into_bytes().map_err(Self::refused),
        }
    }
}

impl<B> MaintenanceBody<B>
where
    B: MessageBody,
    B::Error: Into<Box<dyn StdError>>,
{
    #[inline(never)]
    fn poll_other(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn StdError>>>> {
        match self.project().kind.project() {
            KindProjection::Bound { bound, .. } if bound.lease.is_over() => {
                Poll::Ready(Some(Err(CutOff.into())))
            }
            KindProjection::Passed { body, .. } | KindProjection::Bound { body, .. } => body
                .poll_next(context)
                .map(|chunk| chunk.map(|chunk| chunk.map_err(Into::into))),
            KindProjection::Refused { body } => body.poll_next(context),
        }
    }
}
