//! Reasons under EMQX's names (emqx_reason_codes:name and the shutdown reasons of emqx_channel).

use rmqtt::net::MqttError;
use rmqtt::types::{AuthResult, Disconnect, Reason};

/// The name of an MQTT 5 reason code that ends a connection.
fn code(code: u8) -> &'static str {
    match code {
        0x04 => "disconnect_with_will_message",
        0x80 => "unspecified_error",
        0x81 => "malformed_packet",
        0x82 => "protocol_error",
        0x83 => "implementation_specific_error",
        0x87 => "not_authorized",
        0x89 => "server_busy",
        0x8B => "server_shutting_down",
        0x8C => "bad_authentication_method",
        0x8D => "keepalive_timeout",
        0x8E => "session_taken_over",
        0x8F => "topic_filter_invalid",
        0x90 => "topic_name_invalid",
        0x93 => "receive_maximum_exceeded",
        0x94 => "topic_alias_invalid",
        0x95 => "packet_too_large",
        0x96 => "message_rate_too_high",
        0x97 => "quota_exceeded",
        0x98 => "administrative_action",
        0x99 => "payload_format_invalid",
        0x9A => "retain_not_supported",
        0x9B => "qos_not_supported",
        0x9C => "use_another_server",
        0x9D => "server_moved",
        0x9F => "connection_rate_exceeded",
        0xA0 => "maximum_connect_time",
        _ => "unknown_error",
    }
}

/// What became of a client that wants to connect.
pub(super) fn authenticated(answer: &AuthResult) -> &'static str {
    match answer {
        AuthResult::Allow(..) => "success",
        AuthResult::BadUsernameOrPassword => "bad_username_or_password",
        AuthResult::NotFound | AuthResult::NotAuthorized => "not_authorized",
    }
}

/// Why a connection ended. Several reasons come in the order in which they arose: the first one counts. `discarded`
/// says that a client of the same id came and asked for a clean session.
pub(super) fn disconnected(reason: &Reason, discarded: bool) -> &'static str {
    match reason {
        Reason::Reasons(reasons) => {
            reasons.first().map_or("tcp_closed", |first| disconnected(first, discarded))
        }
        Reason::ConnectDisconnect(Some(Disconnect::V5(disconnect))) => {
            match u8::from(disconnect.reason_code) {
                0 => "normal",
                other => code(other),
            }
        }
        Reason::ConnectDisconnect(_) => "normal",
        Reason::ConnectKicked(true) => "kicked",
        Reason::ConnectKicked(false) if discarded => "discarded",
        Reason::ConnectKicked(false) => "takenover",
        Reason::ConnectKeepaliveTimeout => "keepalive_timeout",
        Reason::ConnectReadWriteTimeout => "timeout",
        Reason::ConnectRemoteClose | Reason::ConnectReadWriteError => "tcp_closed",
        Reason::InflightWindowFull => "receive_maximum_exceeded",
        Reason::ProtocolError(_) => "protocol_error",
        Reason::SubscribeFailed(_) => "topic_filter_invalid",
        Reason::MqttError(MqttError::PublishAckReason(reason, _)) => code(u8::from(*reason)),
        // The end of the stream, and what the system says when the client is away already.
        Reason::Error(why) if why.contains("io error") || why.contains("Connection reset") => "tcp_closed",
        _ => "internal_error",
    }
}

/// Why a message did not reach one subscriber; none for what EMQX does not tell as an event: what a session leaves
/// behind at its end.
pub(super) fn delivery_dropped(reason: &Reason) -> Option<&'static str> {
    match reason {
        Reason::MessageQueueFull => Some("queue_full"),
        Reason::MessageExpiration => Some("expired"),
        _ => None,
    }
}

/// Was a client kicked by another one of the same id?
pub(super) fn is_takeover(reason: &Reason) -> bool {
    match reason {
        Reason::Reasons(reasons) => reasons.first().is_some_and(is_takeover),
        other => matches!(other, Reason::ConnectKicked(false)),
    }
}

/// DISCONNECT, where the client sent one.
pub(super) fn packet(reason: &Reason) -> Option<&rmqtt::codec::v5::Disconnect> {
    match reason {
        Reason::Reasons(reasons) => reasons.iter().find_map(packet),
        Reason::ConnectDisconnect(Some(Disconnect::V5(disconnect))) => Some(disconnect),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rmqtt::codec::v5::{Disconnect as DisconnectV5, DisconnectReasonCode};

    use super::*;

    #[test]
    fn reasons_have_emqx_names() {
        let v5 = |reason_code| {
            let packet = DisconnectV5 { reason_code, ..DisconnectV5::default() };
            Reason::ConnectDisconnect(Some(Disconnect::V5(packet)))
        };
        for (reason, expected) in [
            (
                Reason::Reasons(vec![
                    v5(DisconnectReasonCode::NormalDisconnection),
                    Reason::ConnectRemoteClose,
                ]),
                "normal",
            ),
            (v5(DisconnectReasonCode::DisconnectWithWillMessage), "disconnect_with_will_message"),
            (Reason::ConnectDisconnect(Some(Disconnect::V3)), "normal"),
            (Reason::Reasons(vec![]), "tcp_closed"),
            (Reason::ConnectRemoteClose, "tcp_closed"),
            (Reason::Error("io error, reset".into()), "tcp_closed"),
            (Reason::ConnectKeepaliveTimeout, "keepalive_timeout"),
            (Reason::ConnectKicked(false), "takenover"),
            (Reason::ConnectKicked(true), "kicked"),
            (Reason::ProtocolError("x".into()), "protocol_error"),
            (Reason::Unknown, "internal_error"),
        ] {
            assert_eq!(disconnected(&reason, false), expected, "{reason:?}");
        }
        assert_eq!(disconnected(&Reason::ConnectKicked(false), true), "discarded");
        assert!(is_takeover(&Reason::Reasons(vec![Reason::ConnectKicked(false)])));
        assert_eq!(delivery_dropped(&Reason::MessageQueueFull), Some("queue_full"));
        assert_eq!(delivery_dropped(&Reason::MessageExpiration), Some("expired"));
        assert_eq!(delivery_dropped(&Reason::SessionExpiration), None);
    }
}
