// Whether markup is well formed, for tests: tags nest and close, attributes are quoted, text has no stray sign.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace warmswap::report {

class MarkupCheck {
 public:
  /// The first fault, or an empty text.
  static std::string fault_of(std::string_view markup) { return MarkupCheck(markup).run(); }

 private:
  explicit MarkupCheck(std::string_view markup) : rest_(markup) {}

  std::string run() {
    while (!rest_.empty()) {
      const size_t open = rest_.find('<');
      const std::string_view text = rest_.substr(0, open);
      if (text.find('>') != std::string_view::npos && !in_style()) return fault("stray > in text");
      if (std::string bad = entity_fault(text); !bad.empty() && !in_style()) return bad;
      if (open == std::string_view::npos) break;
      rest_.remove_prefix(open);
      if (std::string bad = tag(); !bad.empty()) return bad;
    }
    return stack_.empty() ? "" : "never closed: " + stack_.back();
  }

  bool in_style() const { return !stack_.empty() && stack_.back() == "style"; }
  std::string fault(const std::string& what) const { return what + " at: " + std::string(rest_.substr(0, 80)); }

  static std::string entity_fault(std::string_view text) {
    static const std::set<std::string_view> kKnown = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t at = text.find('&'); at != std::string_view::npos; at = text.find('&', at + 1)) {
      if (!kKnown.contains(text.substr(at, text.find(';', at) - at + 1))) return "stray & in " + std::string(text);
    }
    return "";
  }

  std::string tag() {
    static const std::set<std::string> kVoid = {"meta"};
    size_t at = 1;
    bool quoted = false;
    for (; at < rest_.size() && (quoted || rest_[at] != '>'); ++at) {
      if (rest_[at] == '"') quoted = !quoted;
      if (rest_[at] == '<') return fault("< inside a tag");
    }
    if (at == rest_.size()) return fault("tag without end");
    const std::string_view inside = rest_.substr(1, at - 1);
    if (std::string bad = entity_fault(inside); !bad.empty()) return bad;
    const bool closing = inside.starts_with('/');
    std::string name;
    for (const char c : inside.substr(closing ? 1 : 0)) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0) break;
      name += c;
    }
    if (closing && (stack_.empty() || stack_.back() != name)) return fault("closes what is not open");
    if (closing) stack_.pop_back();
    const bool alone = inside.ends_with('/') || inside.starts_with('!') || kVoid.contains(name);
    if (!closing && !alone) stack_.push_back(name);
    rest_.remove_prefix(at + 1);
    return "";
  }

  std::string_view rest_;
  std::vector<std::string> stack_;
};

/// How often `part` stands in `text`.
inline size_t occurrences(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace warmswap::report
