#include "controlplane/api/strict_json.h"

#include <fmt/format.h>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parser.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "controlplane/api/text.h"

namespace warmswap::api {

namespace json = boost::json;

namespace {

constexpr size_t kMaxDepth = 16;

/// A handler for basic_parser that only watches keys, because json::parser silently keeps the last of two equal ones.
class KeyWatcher {
 public:
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);

  using Code = json::error_code;
  using Text = json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    objects_.emplace_back();
    return true;
  }
  bool on_object_end(size_t, Code&) {
    objects_.pop_back();
    return true;
  }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(size_t, Code&) { return true; }
  bool on_key_part(Text part, size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(Text part, size_t, Code& code) {
    key_.append(part.data(), part.size());
    if (!objects_.back().insert(key_).second) {
      repeated_ = std::move(key_);
      code = json::error::syntax;  // any error ends the parse
      return false;
    }
    key_.clear();
    return true;
  }
  bool on_string_part(Text, size_t, Code&) { return true; }
  bool on_string(Text, size_t, Code&) { return true; }
  bool on_number_part(Text, Code&) { return true; }
  bool on_int64(int64_t, Text, Code&) { return true; }
  bool on_uint64(uint64_t, Text, Code&) { return true; }
  bool on_double(double, Text, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(Text, Code&) { return true; }
  bool on_comment(Text, Code&) { return true; }

  const std::optional<std::string>& repeated() const noexcept { return repeated_; }

 private:
  std::vector<std::unordered_set<std::string>> objects_;
  std::string key_;
  std::optional<std::string> repeated_;
};

}  // namespace

contract::Result<json::value> parse_strict(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::parser parser({}, options);
  json::error_code code;
  const size_t at = parser.write({text.data(), text.size()}, code);
  if (code == json::error::too_deep) {
    return contract::Error{fmt::format("the JSON is nested deeper than {} levels at byte {}", kMaxDepth, at)};
  }
  if (code) {
    return contract::Error{fmt::format("not valid JSON at byte {} of {}: {}", at, text.size(), code.message())};
  }

  json::basic_parser<KeyWatcher> watcher(options);
  watcher.write_some(false, text.data(), text.size(), code);
  if (const auto& key = watcher.handler().repeated()) {
    return contract::Error{fmt::format("the JSON has the field \"{}\" twice in one object", shorten(*key, 48))};
  }
  return parser.release();
}

}  // namespace warmswap::api
