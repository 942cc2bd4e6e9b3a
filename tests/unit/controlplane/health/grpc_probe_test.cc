// grpc against a server made of nghttp2's other half.
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "controlplane/health/grpc_call.h"
#include "tests/unit/controlplane/health/prober_fixture.h"
#include "tests/unit/controlplane/health/tls_server.h"

namespace warmswap::health {
namespace {

/// What the server says, and what it was asked.
struct Script {
  std::string message;  // of the answer, framed
  std::string grpc_status = "0";
  std::string asked_path;
  std::string asked_scheme;
  std::string asked_authority;
  std::string asked_message;
  nghttp2_session* session = nullptr;
};

nghttp2_nv field(const char* name, const std::string& value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name)),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), std::strlen(name), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

ssize_t answer_body(nghttp2_session* session, int32_t stream, uint8_t* to, size_t, uint32_t* flags,
                    nghttp2_data_source* source, void*) {
  const auto& script = *static_cast<Script*>(source->ptr);
  std::copy_n(script.message.data(), script.message.size(), to);
  *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
  const std::array trailers = {field("grpc-status", script.grpc_status)};
  nghttp2_submit_trailer(session, stream, trailers.data(), trailers.size());
  return static_cast<ssize_t>(script.message.size());
}

int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  // The acknowledgement of settings has the same flag.
  const bool of_stream = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
  if (!of_stream || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  static const std::string kOk = "200", kType = "application/grpc";
  const std::array headers = {field(":status", kOk), field("content-type", kType)};
  nghttp2_data_provider body{};
  body.source.ptr = user;
  body.read_callback = answer_body;
  return nghttp2_submit_response(session, frame->hd.stream_id, headers.data(), headers.size(), &body);
}

/// Serves one connection until the peer has gone.
void serve_grpc(const Server::Connection& connection, Script& script) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
  nghttp2_session_callbacks_set_on_header_callback(
      callbacks, [](nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size, const uint8_t* value,
                    size_t value_size, uint8_t, void* user) {
        const std::string_view key(reinterpret_cast<const char*>(name), name_size);
        const std::string_view text(reinterpret_cast<const char*>(value), value_size);
        auto& heard = *static_cast<Script*>(user);
        if (key == ":path") heard.asked_path = text;
        if (key == ":scheme") heard.asked_scheme = text;
        if (key == ":authority") heard.asked_authority = text;
        return 0;
      });
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
      callbacks, [](nghttp2_session*, uint8_t, int32_t, const uint8_t* data, size_t size, void* user) {
        static_cast<Script*>(user)->asked_message.append(reinterpret_cast<const char*>(data), size);
        return 0;
      });
  nghttp2_session* session = nullptr;
  nghttp2_session_server_new(&session, callbacks, &script);
  nghttp2_session_callbacks_del(callbacks);
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, nullptr, 0);
  for (;;) {
    const uint8_t* out = nullptr;
    for (ssize_t size = 0; (size = nghttp2_session_mem_send(session, &out)) > 0;) {
      connection.send({reinterpret_cast<const char*>(out), static_cast<size_t>(size)});
    }
    const std::string in = connection.receive();
    if (in.empty() || nghttp2_session_mem_recv(session, reinterpret_cast<const uint8_t*>(in.data()), in.size()) < 0) {
      break;
    }
  }
  nghttp2_session_del(session);
}

std::string framed(const std::string& message) {
  std::string out(5, '\0');
  out[4] = static_cast<char>(message.size());
  return out + message;
}

class GrpcProbe : public ProberTest {
 protected:
  ProbeResult ask(Script& script, const std::string& service = "") {
    const Server server([&](const Server::Connection& connection) { serve_grpc(connection, script); });
    Target one = target(1, server.port(), ProbeKind::grpc);
    one.probe.service = service;
    ProbeResult result = probe_once(one);
    prober.set_targets({});
    return result;
  }
};

TEST_F(GrpcProbe, AServerThatServesIsGood) {
  Script script{.message = framed("\x08\x01")};
  const ProbeResult result = ask(script, "shop.Cart");
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(result.detail, "SERVING");
  EXPECT_EQ(script.asked_path, "/grpc.health.v1.Health/Check");
  EXPECT_EQ(script.asked_scheme, "http");
  EXPECT_EQ(script.asked_message, framed("\x0a\x09shop.Cart"));
}

TEST_F(GrpcProbe, OneThatDoesNotServeIsBad) {
  Script script{.message = framed("\x08\x02")};
  const ProbeResult result = ask(script);
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_EQ(result.detail, "NOT_SERVING");
  EXPECT_EQ(script.asked_message, framed("")) << "the server as a whole";
}

TEST_F(GrpcProbe, AnErrorOfTheCallIsBadWhateverTheMessageSays) {
  Script script{.message = framed("\x08\x01"), .grpc_status = "12"};
  EXPECT_EQ(ask(script).detail, "gRPC status 12");
}

TEST_F(GrpcProbe, AMessageThatIsNoneIsBad) {
  Script script{.message = framed("\x08")};
  EXPECT_EQ(ask(script).detail, "not a usable health check response");
}

TEST_F(GrpcProbe, AnHttp1ServerIsBad) {
  const Server server(answering("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const ProbeResult result = probe_once(target(1, server.port(), ProbeKind::grpc));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_FALSE(result.detail.empty());
}

class GrpcProbeOverTls : public ProberTest {
 protected:
  ProbeResult ask(const std::string& message = framed("\x08\x01")) {
    script_.message = message;
    const Server server(identity_.over_tls([this](const Server::Connection& c) { serve_grpc(c, script_); }));
    Target one = target(1, server.port(), ProbeKind::grpc);
    one.probe.tls = true;
    one.probe.host = "www.example";
    one.probe.verify = true;
    one.probe.ca_file = identity_.ca_file();
    ProbeResult result = probe_once(one);
    prober.set_targets({});
    return result;
  }

  TlsIdentity identity_;
  Script script_;
};

TEST_F(GrpcProbeOverTls, HttpTwoIsAgreedOn) {
  identity_.protocol = "h2";
  const ProbeResult result = ask();
  EXPECT_EQ(result.detail, "SERVING");
  EXPECT_EQ(identity_.offered_protocols(), "\x02h2");
  EXPECT_EQ(identity_.server_name(), "www.example");
  EXPECT_EQ(script_.asked_scheme, "https");
  EXPECT_EQ(script_.asked_authority, "www.example");
}

TEST_F(GrpcProbeOverTls, AServerThatAgreesOnNothingMaySpeakItAllTheSame) {
  EXPECT_EQ(ask().detail, "SERVING");
}

TEST_F(GrpcProbeOverTls, OneThatInsistsOnAnotherProtocolIsBad) {
  identity_.protocol = "http/1.1";
  const ProbeResult result = ask();
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: "), std::string::npos) << result.detail;
}

TEST_F(GrpcProbeOverTls, ACertificateForSomebodyElseIsBad) {
  identity_.use_certificate("other.example");
  const ProbeResult result = ask();
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: certificate verify failed"), std::string::npos) << result.detail;
}

TEST_F(GrpcProbeOverTls, OneThatDoesNotServeIsBad) {
  EXPECT_EQ(ask(framed("\x08\x02")).detail, "NOT_SERVING");
}

TEST_F(GrpcProbeOverTls, AServerWithoutTlsIsBad) {
  const Server server([this](const Server::Connection& connection) { serve_grpc(connection, script_); });
  Target one = target(1, server.port(), ProbeKind::grpc);
  one.probe.tls = true;
  const ProbeResult result = probe_once(one);
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: "), std::string::npos) << result.detail;
  prober.set_targets({});
}

TEST(HealthStatus, unknownFieldsAreSkippedAndNonsenseIsRefused) {
  using namespace std::string_view_literals;
  EXPECT_EQ(parse_health_status(""), 0u) << "proto3 does not write a zero";
  EXPECT_EQ(parse_health_status("\x12\x02hi\x08\x01"sv), 1u);
  EXPECT_EQ(parse_health_status("\x08\x80\x01"sv), 128u);
  for (const auto nonsense : {"\x08"sv, "\x12\x05hi"sv, "\x0b"sv, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv}) {
    EXPECT_EQ(parse_health_status(nonsense), std::nullopt);
  }
}

}  // namespace
}  // namespace warmswap::health
