// An HTTP response as far as a probe looks at it: the status, and where something is expected of it the beginning of
// the body. Hides Beast, whose headers cost seconds per file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace warmswap::health {

/// More than any status page's header needs, and what bounds a hostile one.
inline constexpr size_t kHttpHeadLimit = 8192;
/// So much of a body is looked at, chunk headers taken out.
inline constexpr size_t kHttpBodyLimit = 65536;

/// Feed it what arrives until it stops asking for more. Interim responses (1xx, RFC 9110 section 15.2) are skipped. Not
/// thread-safe.
class HttpResponse {
 public:
  enum class Progress { more, complete, malformed };
  enum class Want { status, body };

  explicit HttpResponse(Want want = Want::status);
  ~HttpResponse();

  Progress feed(std::string_view bytes);
  /// The peer has closed: the end of a body without a length (RFC 9112 section 6.3), or too early.
  Progress end();

  /// After `complete`.
  unsigned status() const noexcept { return status_; }
  /// After `complete`: the body, or its first kHttpBodyLimit bytes.
  const std::string& body() const noexcept;
  /// After `malformed`: what is wrong, in a few words.
  const std::string& problem() const noexcept { return problem_; }

 private:
  struct Parser;

  Progress fail(std::string problem);
  Progress feed_body();

  const Want want_;
  std::unique_ptr<Parser> parser_;
  std::string pending_;
  size_t total_ = 0;
  unsigned status_ = 0;
  bool in_body_ = false;
  std::string problem_;
};

}  // namespace warmswap::health
