#include "controlplane/config/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <toml.hpp>

#include "controlplane/config/text.h"

namespace warmswap::config {
namespace {

const toml::value& value_of(const void* value) {
  return *static_cast<const toml::value*>(value);
}

Node::Kind kind_of(const toml::value& value) {
  switch (value.type()) {
    case toml::value_t::table:
      return Node::Kind::table;
    case toml::value_t::array:
      return Node::Kind::array;
    case toml::value_t::string:
      return Node::Kind::string;
    case toml::value_t::integer:
      return Node::Kind::integer;
    case toml::value_t::boolean:
      return Node::Kind::boolean;
    default:
      return Node::Kind::other;
  }
}

/// The summary line of a toml11 message. What follows it quotes the offending line, which may hold the hash key.
std::string summary(std::string_view what) {
  what = what.substr(0, what.find('\n'));
  for (const std::string_view prefix : {"[error] ", "toml::"}) {
    if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
  }
  const size_t function_end = what.find(": ");
  if (function_end != what.npos && what.substr(0, function_end).find(' ') == what.npos) {
    what.remove_prefix(function_end + 2);
  }
  if (what.empty() || what == "bad format: unknown value appeared")
    return "no value of any TOML type (does a string lack its quotes?)";
  if (what == "invalid line format") return "something follows the value (does a string lack its quotes?)";
  return hide_keys(what);
}

/// toml11 recurses into nested arrays and inline tables, and takes quadratic time over long dotted keys. Neither occurs
/// in a configuration, but a file that is none must not exhaust the stack or the time of a running control plane.
/// Counts brackets without regard to strings and comments, which is why the limit is generous.
bool is_hostile(std::string_view text) {
  constexpr size_t kDeepest = 1000, kLongestLine = 16384;
  size_t depth = 0, length = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    length = c == '\n' ? 0 : length + 1;
    if (depth > kDeepest || length > kLongestLine) return true;
  }
  return false;
}

std::string_view name_of(const toml::value& element) {
  if (!element.is_table()) return {};
  const auto& table = element.as_table();
  const auto name = table.find("name");
  return name != table.end() && name->second.is_string() ? std::string_view(name->second.as_string().str)
                                                         : std::string_view();
}

bool is_list_of_tables(const toml::value& value) {
  if (!value.is_array()) return false;
  const auto& list = value.as_array();
  return !list.empty() &&
         std::all_of(list.begin(), list.end(), [](const toml::value& item) { return item.is_table(); });
}

void merge(toml::value& base, const toml::value& later);

/// A name used twice in the later file is not merged with itself: it stays twice, and is reported.
void merge_lists(toml::value::array_type& base, const toml::value::array_type& later) {
  std::map<std::string, size_t> unmatched;  // places in the base, by name
  for (size_t i = 0; i < base.size(); ++i) unmatched.emplace(name_of(base[i]), i);
  for (const toml::value& element : later) {
    const auto same = unmatched.find(std::string(name_of(element)));
    if (same == unmatched.end() || same->first.empty()) {
      base.push_back(element);
      continue;
    }
    merge(base[same->second], element);
    unmatched.erase(same);
  }
}

void merge(toml::value& base, const toml::value& later) {
  for (const auto& [key, value] : later.as_table()) {
    const auto [at, fresh] = base.as_table().emplace(key, value);
    if (fresh) continue;
    if (at->second.is_table() && value.is_table()) {
      merge(at->second, value);
    } else if (is_list_of_tables(at->second) && is_list_of_tables(value)) {
      merge_lists(at->second.as_array(), value.as_array());
    } else {
      at->second = value;
    }
  }
}

}  // namespace

Node::Node(const void* value) : value_(value), kind_(kind_of(value_of(value))) {}

std::string_view Node::string() const {
  return kind_ == Kind::string ? std::string_view(value_of(value_).as_string().str) : std::string_view();
}
int64_t Node::integer() const {
  return kind_ == Kind::integer ? value_of(value_).as_integer() : 0;
}
bool Node::boolean() const {
  return kind_ == Kind::boolean && value_of(value_).as_boolean();
}

std::vector<Node> Node::elements() const {
  std::vector<Node> out;
  if (kind_ != Kind::array) return out;
  for (const toml::value& element : value_of(value_).as_array()) out.push_back(Node(&element));
  return out;
}

std::vector<Node::Member> Node::members() const {
  std::vector<Member> out;
  if (kind_ != Kind::table) return out;
  for (const auto& [key, value] : value_of(value_).as_table()) out.push_back({key, Node(&value)});
  return out;
}

uint32_t Node::line() const {
  return value_of(value_).location().line();
}

std::string Node::file() const {
  return value_of(value_).location().file_name();
}

std::string Node::shown() const {
  switch (kind_) {
    case Kind::string:
      return quote(string());
    case Kind::table:
      return "a table";
    case Kind::array:
      return "an array";
    default:
      break;
  }
  // As written: toml11 reads an integer beyond 64 bits as the largest one.
  const toml::source_location at = value_of(value_).location();
  return hide_keys(at.line_str().substr(at.column() - 1, at.region()));
}

contract::Result<Document> Document::parse(std::string_view text, const std::string& name) {
  if (is_hostile(text)) {
    return contract::Error{
        fmt::format("{}: no configuration: a line is longer or brackets nest deeper than any key needs", name)};
  }
  try {
    std::istringstream stream{std::string(text)};
    Document document;
    document.value_ = std::make_shared<const toml::value>(toml::parse(stream, name));
    return document;
  } catch (const toml::exception& error) {
    return contract::Error{
        fmt::format("{}:{}: not valid TOML: {}", name, error.location().line(), summary(error.what()))};
  } catch (const std::exception& error) {
    return contract::Error{fmt::format("{}: not valid TOML: {}", name, summary(error.what()))};
  }
}

void Document::lay_over(const Document& later) {
  const auto merged = std::make_shared<toml::value>(value_of(value_.get()));
  merge(*merged, value_of(later.value_.get()));
  value_ = merged;
}

Node Document::root() const {
  return Node(value_.get());
}

}  // namespace warmswap::config
