//! Handlers that end early by `?`.

use std::pin::Pin;

use actix_web::{Handler, HttpResponse};

/// What a handler of the admin scope ends with. Both are answers: the second one ended it early.
pub(super) type Answer = Result<HttpResponse, HttpResponse>;

/// A handler as actix takes it.
///
/// actix takes results, too, and makes a response of an error of its own. A refusal is no error of
/// the app, and its log and its error reports are not to tell of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answering<F>(pub(super) F);

impl<F, A> Handler<A> for Answering<F>
where
    F: Handler<A, Output = Answer>,
    F::Future: 'static,
{
    type Output = HttpResponse;
    type Future = Pin<Box<dyn Future<Output = HttpResponse>>>;

    fn call(&self, arguments: A) -> Self::Future {
        let answer = self.0.call(arguments);
        Box::pin(async move { answer.await.unwrap_or_else(|early| early) })
    }
}
