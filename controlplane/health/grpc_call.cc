#include "controlplane/health/grpc_call.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "controlplane/health/attempt.h"
#include "controlplane/health/http_exchange.h"

namespace warmswap::health {
namespace {

constexpr size_t kPrefix = 5;  // of a gRPC message: compressed or not, and its length
constexpr size_t kLongestAnswer = 4096;
constexpr std::array kServingWords = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
constexpr uint64_t kServing = 1;

std::string request_message(const std::string& service) {
  std::string message;
  if (!service.empty()) {
    message = {0x0a};  // field 1, bytes
    for (size_t length = service.size();; length >>= 7) {
      message += static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
      if (length <= 0x7f) break;
    }
    message += service;
  }
  std::string framed(kPrefix, '\0');
  for (size_t i = 0; i < 4; ++i) framed[1 + i] = static_cast<char>(message.size() >> (8 * (3 - i)));
  return framed + message;
}

nghttp2_nv header(std::string_view name, std::string_view value) {
  // nghttp2 copies both; its type is without const for the cases where it does not.
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

/// Reads a varint and takes it away from the front.
std::optional<uint64_t> take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool skip_field(std::string_view& bytes, uint64_t wire_type) {
  uint64_t length = 0;
  switch (wire_type) {
    case 0:
      return take_varint(bytes).has_value();
    case 1:
      length = 8;
      break;
    case 2:
      if (const auto said = take_varint(bytes)) {
        length = *said;
        break;
      }
      return false;
    case 5:
      length = 4;
      break;
    default:
      return false;
  }
  if (length > bytes.size()) return false;
  bytes.remove_prefix(length);
  return true;
}

}  // namespace

std::optional<uint64_t> parse_health_status(std::string_view message) {
  uint64_t status = 0;  // proto3: the default is not written
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (!tag) return std::nullopt;
    if (*tag == 0x08) {
      const auto value = take_varint(message);
      if (!value) return std::nullopt;
      status = *value;
    } else if (!skip_field(message, *tag & 7)) {
      return std::nullopt;
    }
  }
  return status;
}

class GrpcCall::Session {
 public:
  explicit Session(const Target& target) : request_(request_message(target.probe.service)) {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    const int made = nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    if (made != 0) throw std::bad_alloc();
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    const std::string authority = http_authority(target);
    const std::array headers = {header(":method", "POST"),
                                header(":scheme", config::over_tls(target.probe) ? "https" : "http"),
                                header(":path", "/grpc.health.v1.Health/Check"),
                                header(":authority", authority),
                                header("content-type", "application/grpc"),
                                header("te", "trailers"),
                                header("user-agent", "warmswap-probe")};
    nghttp2_data_provider body{};
    body.source.ptr = this;
    body.read_callback = read_request;
    nghttp2_submit_request(session_, nullptr, headers.data(), headers.size(), &body, nullptr);
  }
  ~Session() { nghttp2_session_del(session_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::string take_output() {
    std::string out;
    for (;;) {
      const uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    }
  }

  std::optional<Verdict> feed(std::string_view bytes) {
    const ssize_t taken =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (taken < 0)
      return Verdict{Outcome::bad, "not HTTP/2: " + uncapitalised(nghttp2_strerror(static_cast<int>(taken)))};
    if (closed_) return judge();
    return std::nullopt;
  }

  Verdict judge() const {
    if (http_status_ != 200) return {Outcome::bad, fmt::format("HTTP status {}, expected 200", http_status_)};
    if (grpc_status_ != 0) {
      const std::string message = grpc_message_.empty() ? "" : ": " + grpc_message_;
      return {Outcome::bad, fmt::format("gRPC status {}{}", grpc_status_, message)};
    }
    const auto status = answer_.size() < kPrefix || answer_.front() != '\0'
                            ? std::nullopt
                            : parse_health_status(std::string_view(answer_).substr(kPrefix));
    if (!status) return {Outcome::bad, "not a usable health check response"};
    if (*status == kServing) return {Outcome::good, "SERVING"};
    return {Outcome::bad, *status < kServingWords.size() ? kServingWords[*status] : fmt::format("status {}", *status)};
  }

 private:
  static ssize_t read_request(nghttp2_session*, int32_t, uint8_t* to, size_t room, uint32_t* flags,
                              nghttp2_data_source* source, void*) {
    auto& self = *static_cast<Session*>(source->ptr);
    const size_t size = std::min(room, self.request_.size() - self.sent_);
    std::copy_n(self.request_.data() + self.sent_, size, to);
    self.sent_ += size;
    if (self.sent_ == self.request_.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  // NOLINTNEXTLINE(bugprone-easily-swappable-parameters): nghttp2's signature
  static int on_header(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t, void* user) {
    auto& self = *static_cast<Session*>(user);
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    const std::string_view text(reinterpret_cast<const char*>(value), value_size);
    const auto number = [&text](int& out) { std::from_chars(text.data(), text.data() + text.size(), out); };
    if (key == ":status") number(self.http_status_);
    if (key == "grpc-status") {
      number(self.grpc_status_);
      self.grpc_message_.clear();
    }
    if (key == "grpc-message") self.grpc_message_ = text.substr(0, 200);
    return 0;
  }

  static int on_data(nghttp2_session*, uint8_t, int32_t, const uint8_t* data, size_t size, void* user) {
    auto& self = *static_cast<Session*>(user);
    if (self.answer_.size() + size > kLongestAnswer) return NGHTTP2_ERR_CALLBACK_FAILURE;
    self.answer_.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }

  static int on_close(nghttp2_session*, int32_t, uint32_t, void* user) {
    static_cast<Session*>(user)->closed_ = true;
    return 0;
  }

  const std::string request_;
  size_t sent_ = 0;
  nghttp2_session* session_ = nullptr;
  int http_status_ = 0;
  int grpc_status_ = 2;  // UNKNOWN, until trailers say another one
  std::string grpc_message_ = "no status in the trailers";
  std::string answer_;
  bool closed_ = false;
};

GrpcCall::GrpcCall(const Target& target) : session_(std::make_unique<Session>(target)) {}
GrpcCall::~GrpcCall() = default;
std::string GrpcCall::take_output() {
  return session_->take_output();
}
std::optional<Exchange::Verdict> GrpcCall::feed(std::string_view bytes) {
  return session_->feed(bytes);
}
Exchange::Verdict GrpcCall::ended() {
  return {Outcome::bad, "connection closed before the end of the answer"};
}

}  // namespace warmswap::health
