// The status of an HTTP response, read from its first bytes. Hides Beast, whose headers cost seconds per file.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace warmswap::health {

/// More than any status page's header needs, and what bounds a hostile one.
inline constexpr size_t kResponseHeadLimit = 8192;

/// Feed it what arrives until it stops asking for more. Interim responses (1xx, RFC 9110 section 15.2) are skipped, the
/// body is not looked at. Not thread-safe.
class ResponseHead {
 public:
  enum class Progress { more, complete, malformed };

  ResponseHead();
  ~ResponseHead();

  Progress feed(std::string_view bytes);

  /// After `complete`.
  unsigned status() const noexcept { return status_; }
  /// After `malformed`: what is wrong, in a few words.
  const std::string& problem() const noexcept { return problem_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string pending_;
  size_t total_ = 0;
  unsigned status_ = 0;
  std::string problem_;
};

}  // namespace warmswap::health
