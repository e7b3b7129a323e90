use actix_web::{test::TestRequest, web::BytesMut};
use futures_util::{StreamExt as _, stream};

use super::*;

fn payload(chunks: &'static [&'static str], is_whole: bool) -> Payload {
    let chunks = stream::iter(
        chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes()))),
    );
    let rest = stream::poll_fn(move |_| match is_whole {
        true => Poll::Ready(None),
        false => Poll::Pending,
    });
    Payload::Stream {
        payload: Box::pin(chunks.chain(rest)),
    }
}

fn of_http_2(mut payload: Payload) -> ((Body, bool), Payload) {
    let request = TestRequest::post()
        .version(Version::HTTP_2)
        .to_http_request();
    let found = body_of(&request, &mut payload);
    (found, payload)
}

#[test]
fn the_body_of_http_1_is_known_by_what_is_said_of_it() {
    let body = |request: TestRequest| {
        let request = request.to_http_request();
        body_of(&request, &mut payload(&["x"], true)).0
    };
    let post = TestRequest::post;
    assert_eq!(
        body(post().insert_header(("content-length", "7"))),
        Body::Declared(7)
    );
    assert_eq!(
        body(post().insert_header(("content-length", "-7"))),
        Body::Unknown
    );
    let both = post()
        .insert_header(("content-length", "7"))
        .insert_header(("transfer-encoding", "chunked"));
    assert_eq!(body(both), Body::Unknown);
    assert_eq!(body(post()), Body::None);
    let none = body_of(&post().to_http_request(), &mut Payload::None);
    assert_eq!(none, (Body::None, false));
}

#[actix_web::test]
async fn nothing_of_a_body_of_http_2_is_lost_by_looking_whether_there_is_one() {
    let (found, _) = of_http_2(payload(&[], true));
    assert_eq!(found, (Body::None, true));
    let (found, _) = of_http_2(payload(&[], false));
    assert_eq!(found, (Body::Unknown, false));
    let (found, mut whole) = of_http_2(payload(&["ab", "c"], true));
    assert_eq!(found, (Body::Unknown, false));
    let mut read = BytesMut::new();
    while let Some(chunk) = whole.next().await {
        read.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(read, "abc");
}
