//! One connection: at most one stream we write and one we read.

use std::{
    collections::VecDeque,
    io,
    task::{Context, Poll},
};

use futures::{FutureExt as _, future::BoxFuture};
use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::ReadyUpgrade,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
    },
};
use quil_blossomsub::{Frame, Rpc};

use super::framing;

/// What the behaviour tells a connection.
#[derive(Debug)]
pub(crate) enum ToHandler {
    /// Open the stream to write on.
    Open,
    /// Write a frame; only after [`FromHandler::Ready`], one at a time.
    Write(Frame),
}

/// What a connection tells the behaviour.
#[derive(Debug)]
pub(crate) enum FromHandler {
    /// The next frame can be written.
    Ready,
    /// A frame of the peer.
    Read(Box<Rpc>),
    /// The peer sent what is no frame.
    Malformed,
    /// The peer does not speak the protocol.
    Unsupported,
    /// The stream could not be opened, or broke while writing.
    Broken,
}

enum Outbound {
    /// Not asked for.
    Idle,
    /// To be requested by the next poll.
    Wanted,
    /// Being negotiated.
    Opening,
    Open(Stream),
    Writing(BoxFuture<'static, io::Result<Stream>>),
    /// Reported as broken; nothing more will be written.
    Dead,
}

/// What one read gave, and the stream for the next.
enum Incoming {
    Frame(Stream, Box<Rpc>),
    Malformed(Stream),
    /// A length that cannot be: the stream is lost.
    Overlong,
    End,
}

pub(crate) struct Handler {
    protocol: StreamProtocol,
    outbound: Outbound,
    inbound: Option<BoxFuture<'static, Incoming>>,
    /// At most a few: each comes from one event of the connection.
    events: VecDeque<FromHandler>,
}

type HandlerEvent = ConnectionHandlerEvent<ReadyUpgrade<StreamProtocol>, (), FromHandler>;

impl Handler {
    pub(crate) fn new(protocol: StreamProtocol) -> Self {
        Self {
            protocol,
            outbound: Outbound::Idle,
            inbound: None,
            events: VecDeque::new(),
        }
    }

    fn poll_outbound(&mut self, cx: &mut Context<'_>) -> Option<HandlerEvent> {
        match &mut self.outbound {
            Outbound::Wanted => {
                self.outbound = Outbound::Opening;
                let protocol = SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ());
                Some(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol })
            }
            Outbound::Writing(write) => {
                let Poll::Ready(result) = write.poll_unpin(cx) else {
                    return None;
                };
                let event = match result {
                    Ok(stream) => {
                        self.outbound = Outbound::Open(stream);
                        FromHandler::Ready
                    }
                    Err(_) => {
                        self.outbound = Outbound::Dead;
                        FromHandler::Broken
                    }
                };
                Some(ConnectionHandlerEvent::NotifyBehaviour(event))
            }
            _ => None,
        }
    }

    fn poll_inbound(&mut self, cx: &mut Context<'_>) -> Option<HandlerEvent> {
        let read = self.inbound.as_mut()?;
        let Poll::Ready(incoming) = read.poll_unpin(cx) else {
            return None;
        };
        self.inbound = None;
        let event = match incoming {
            Incoming::Frame(stream, rpc) => {
                self.inbound = Some(incoming_frame(stream).boxed());
                FromHandler::Read(rpc)
            }
            Incoming::Malformed(stream) => {
                self.inbound = Some(incoming_frame(stream).boxed());
                FromHandler::Malformed
            }
            Incoming::Overlong => FromHandler::Malformed,
            Incoming::End => return None,
        };
        Some(ConnectionHandlerEvent::NotifyBehaviour(event))
    }
}

async fn incoming_frame(mut stream: Stream) -> Incoming {
    match framing::read(&mut stream).await {
        Ok(Some(bytes)) => match framing::decode(bytes).await {
            Ok(rpc) => Incoming::Frame(stream, Box::new(rpc)),
            Err(_) => Incoming::Malformed(stream),
        },
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Incoming::Overlong,
        Ok(None) | Err(_) => Incoming::End,
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = ToHandler;
    type ToBehaviour = FromHandler;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    fn on_behaviour_event(&mut self, event: ToHandler) {
        match (
            event,
            core::mem::replace(&mut self.outbound, Outbound::Idle),
        ) {
            (ToHandler::Open, Outbound::Idle) => self.outbound = Outbound::Wanted,
            (ToHandler::Write(frame), Outbound::Open(mut stream)) => {
                let write = async move {
                    framing::write(&mut stream, frame).await?;
                    Ok(stream)
                };
                self.outbound = Outbound::Writing(write.boxed());
            }
            (_, state) => self.outbound = state,
        }
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        match event {
            // A newer stream of the peer replaces the older one: it is the one it writes on.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) => {
                self.inbound = Some(incoming_frame(stream).boxed());
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                ..
            }) => {
                self.outbound = Outbound::Open(stream);
                self.events.push_back(FromHandler::Ready);
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.outbound = Outbound::Dead;
                self.events.push_back(match error {
                    StreamUpgradeError::NegotiationFailed => FromHandler::Unsupported,
                    _ => FromHandler::Broken,
                });
            }
            _ => {}
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<HandlerEvent> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event));
        }
        if let Some(event) = self.poll_outbound(cx).or_else(|| self.poll_inbound(cx)) {
            return Poll::Ready(event);
        }
        Poll::Pending
    }
}
