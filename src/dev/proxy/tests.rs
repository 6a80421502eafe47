//! A proxy in front of a server that answers each byte with the same byte.

use super::*;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_secs(20);
/// What must not come hasn't come for so long.
const QUIET: Duration = Duration::from_millis(100);

async fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _gone = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    Proxy::start(address, Protocol::Opaque).await.unwrap()
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends, and reads the same back.
async fn round(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    let mut back = vec![0; bytes.len()];
    timeout(PATIENCE, stream.read_exact(&mut back)).await.expect("an answer or an end")?;
    assert_eq!(back, bytes);
    Ok(())
}

/// What comes until the end, and the end.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, io::Result<usize>) {
    let mut bytes = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("it ends");
    (bytes, ended)
}

async fn is_quiet(stream: &mut TcpStream) -> bool {
    timeout(QUIET, stream.read_u8()).await.is_err()
}

fn is_reset(ended: &io::Result<usize>) -> bool {
    ended.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn bytes_and_ends_pass() {
    let proxy = echo().await;
    let mut stream = connect(&proxy).await;
    round(&mut stream, &[7; 100_000]).await.unwrap();
    assert_eq!(proxy.connections(), 1);
    stream.shutdown().await.unwrap();
    assert!(matches!(rest(&mut stream).await, (bytes, Ok(0)) if bytes.is_empty()));
}

#[tokio::test]
async fn a_stalled_link_delivers_later_and_a_holed_one_never() {
    let proxy = echo().await;
    let mut stream = connect(&proxy).await;
    proxy.set(Way::ToClient, Mode::Stall);
    stream.write_all(b"a").await.unwrap();
    assert!(is_quiet(&mut stream).await);
    proxy.heal();
    assert_eq!(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap(), b'a');

    proxy.set(Way::ToServer, Mode::Drop);
    stream.write_all(b"b").await.unwrap();
    assert!(is_quiet(&mut stream).await);
    proxy.heal();
    assert!(is_reset(&rest(&mut stream).await.1), "its stream has a hole");
    round(&mut connect(&proxy).await, b"c").await.unwrap();
}

#[tokio::test]
async fn slow_links_are_slow_and_heal() {
    let proxy = echo().await;
    let mut stream = connect(&proxy).await;
    proxy.set_both(Mode::Delay(Duration::from_millis(50)));
    let begun = tokio::time::Instant::now();
    round(&mut stream, b"a").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(100));
    proxy.set(Way::ToServer, Mode::Rate(1));
    stream.write_all(&[1; 5_000]).await.unwrap();
    assert!(is_quiet(&mut stream).await);
    proxy.heal();
    let mut back = vec![0; 5_000];
    timeout(PATIENCE, stream.read_exact(&mut back)).await.expect("at full speed").unwrap();
}

#[tokio::test]
async fn connections_are_ended_as_told() {
    let proxy = echo().await;
    let mut stream = connect(&proxy).await;
    round(&mut stream, b"a").await.unwrap();
    proxy.cut(End::Reset);
    assert!(is_reset(&rest(&mut stream).await.1));

    let mut stream = connect(&proxy).await;
    round(&mut stream, b"a").await.unwrap();
    proxy.cut(End::Fin);
    assert!(matches!(rest(&mut stream).await.1, Ok(0)));

    let mut stream = connect(&proxy).await;
    round(&mut stream, b"a").await.unwrap();
    proxy.cut(End::Silence);
    tokio::time::sleep(QUIET).await;
    stream.write_all(b"b").await.unwrap();
    assert!(is_quiet(&mut stream).await);
    proxy.cut(End::Reset);
    assert!(is_reset(&rest(&mut stream).await.1), "silence can be ended");
}

#[tokio::test]
async fn doors_refuse_and_hang() {
    let proxy = echo().await;
    proxy.doors(Doors::Refuse);
    assert!(is_reset(&rest(&mut connect(&proxy).await).await.1));
    proxy.doors(Doors::Hang);
    let mut stream = connect(&proxy).await;
    stream.write_all(b"a").await.unwrap();
    assert!(is_quiet(&mut stream).await);
    proxy.heal();
    assert!(is_reset(&rest(&mut stream).await.1));
    round(&mut connect(&proxy).await, b"b").await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_looks_like_a_refusal() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let proxy = Proxy::start(nobody, Protocol::Opaque).await.unwrap();
    assert!(is_reset(&rest(&mut connect(&proxy).await).await.1));
}

#[tokio::test]
async fn a_trap_cuts_at_its_byte() {
    let proxy = echo().await;
    let trap = |way, event, arrives| Trap { way, event, nth: 1, arrives, end: End::Fin };
    let mut sprung = proxy.trap(trap(Way::ToClient, Event::Pattern(b"END".to_vec()), false));
    let mut stream = connect(&proxy).await;
    stream.write_all(b"all but the END").await.unwrap();
    assert_eq!(rest(&mut stream).await.0, b"all but the ");
    assert!(sprung.wait().await);

    proxy.trap(trap(Way::ToClient, Event::Bytes(3), true));
    let mut stream = connect(&proxy).await;
    stream.write_all(b"12345").await.unwrap();
    assert_eq!(rest(&mut stream).await.0, b"123");

    // It arrives, and its answer doesn't.
    let mut sprung = proxy.trap(trap(Way::ToServer, Event::Pattern(b"!".to_vec()), true));
    let mut stream = connect(&proxy).await;
    stream.write_all(b"go!").await.unwrap();
    assert_eq!(rest(&mut stream).await.0, b"");
    assert!(sprung.wait().await);

    let mut unset = proxy.trap(trap(Way::ToServer, Event::Bytes(1), true));
    proxy.heal();
    assert!(!unset.wait().await);
}
