// A socket for tests that speaks as badly as it is told to: sends bytes, reads bytes, half-closes. Every read gives up
// after ten seconds, so a stalled server fails a test instead of hanging it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace warmswap::api {

struct RawResponse {
  int status = 0;                              // 0 = the connection ended without one
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

class RawClient {
 public:
  static RawClient unix_socket(const std::string& path);
  static RawClient tcp(uint16_t port);
  RawClient(RawClient&& other) noexcept;
  ~RawClient();

  /// False once the peer takes no more.
  bool send(std::string_view bytes) const;
  void finish_sending() const;
  /// Reads one response by its Content-Length; `with_body` false for an answer to HEAD.
  RawResponse receive(bool with_body = true);
  /// True when the peer has closed and nothing is left to read.
  bool closed();
  /// GET on a kept-alive connection.
  RawResponse get(const std::string& target);

 private:
  explicit RawClient(int fd);
  bool fill();

  int fd_;
  std::string pending_;
};

}  // namespace warmswap::api
