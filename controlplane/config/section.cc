#include "controlplane/config/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "controlplane/config/rules.h"

namespace warmswap::config {

Section::Section(Report& report, const Node& root) : Section(report, root, "", "", false) {}

Section Section::for_keys(Report& report) {
  return Section(report, std::nullopt, "", "", true);
}

Section::Section(Report& report, std::optional<Node> table, std::string path, std::string schema, bool for_keys)
    : report_(&report), table_(table), path_(std::move(path)), schema_(std::move(schema)), for_keys_(for_keys) {
  if (!table_) return;
  if (!path_.empty()) report_->place(path_, *table_);
  members_ = table_->members();
  for (const Node::Member& member : members_) report_->place(key_path(member.key), member.node);
}

std::string Section::key_path(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}
std::string Section::schema_path(std::string_view key) const {
  return schema_.empty() ? std::string(key) : fmt::format("{}.{}", schema_, key);
}

std::optional<Node> Section::find(std::string_view key) const {
  const auto at = std::ranges::find(members_, key, &Node::Member::key);
  return at == members_.end() ? std::nullopt : std::optional(at->node);
}

std::optional<Node> Section::take(std::string_view key) {
  known_.emplace_back(key);
  if (for_keys_) report_->know(schema_path(key));
  return find(key);
}

void Section::refuse(std::string_view key, std::string_view expectation) {
  const Node node = find(key).value();
  report_->add(wrong(key_path(key), node.shown(), expectation), node);
}

void Section::refuse_hidden(std::string_view key, std::string_view sentence) {
  report_->add({key_path(key), fmt::format(": {}", sentence)}, find(key).value());
}

void Section::warn_about(std::string_view key, std::string_view sentence) {
  report_->add(warn(key_path(key), sentence), find(key).value());
}

void Section::require(std::string_view key, std::string_view expectation) {
  if (has(key)) return;
  const Finding finding{key_path(key), fmt::format(" is missing: {}", expectation)};
  if (table_) {
    report_->add(finding, *table_);
  } else {
    report_->add(finding);
  }
}

void Section::boolean(std::string_view key, bool& out) {
  const auto node = take(key);
  if (!node) return;
  if (node->kind() != Node::Kind::boolean) return refuse(key, "expected true or false");
  out = node->boolean();
}

std::optional<std::string> Section::read_string(std::string_view key, std::string_view expectation) {
  const auto node = take(key);
  if (!node) return std::nullopt;
  if (node->kind() == Node::Kind::string) return std::string(node->string());
  refuse(key, fmt::format("{}, in quotes", expectation));
  return std::nullopt;
}

void Section::string(std::string_view key, std::string& out) {
  if (auto text = read_string(key, "expected a string")) out = std::move(*text);
}

std::optional<std::string> Section::secret(std::string_view key, std::string_view expectation) {
  const auto node = take(key);
  if (!node) return std::nullopt;
  if (node->kind() == Node::Kind::string) return std::string(node->string());
  refuse_hidden(key, fmt::format("{}, in quotes", expectation));
  return std::nullopt;
}

void Section::duration(std::string_view key, Nanoseconds& out, const DurationRange& range) {
  const auto in_range = [&](const std::string& text) {
    const auto value = parse_duration(text);
    return value && range.holds(*value) ? value : std::nullopt;
  };
  parsed(key, out, in_range, expected(range));
}

void Section::address(std::string_view key, Be32& out) {
  parsed(key, out, parse_address, "expected an IPv4 address such as \"192.0.2.1\"");
}

std::optional<int64_t> Section::read_integer(std::string_view key, const Range& range) {
  const auto node = take(key);
  if (!node) return std::nullopt;
  if (node->kind() == Node::Kind::integer && range.holds(node->integer())) return node->integer();
  refuse(key, expected(range));
  return std::nullopt;
}

std::optional<std::vector<int64_t>> Section::read_integers(std::string_view key, const Range& range) {
  const auto node = take(key);
  if (!node) return std::nullopt;
  const std::string expectation =
      fmt::format("expected a list of {} from {} to {}", range.what, range.least, range.most);
  if (node->kind() != Node::Kind::array) {
    refuse(key, expectation);
    return std::nullopt;
  }
  std::vector<int64_t> out;
  bool right = true;
  for (const Node& element : node->elements()) {
    if (element.kind() == Node::Kind::integer && range.holds(element.integer())) {
      out.push_back(element.integer());
    } else {
      right = false;
      report_->add(wrong(key_path(key), element.shown(), expectation), element);
    }
  }
  return right ? std::optional(std::move(out)) : std::nullopt;
}

void Section::strings(std::string_view key, std::vector<std::string>& out) {
  const auto node = take(key);
  if (!node) return;
  constexpr std::string_view kExpectation = "expected a list of strings that are not empty";
  if (node->kind() != Node::Kind::array) return refuse(key, kExpectation);
  out.clear();
  for (const Node& element : node->elements()) {
    if (element.string().empty() || element.string().find('\0') != std::string_view::npos) {
      report_->add(wrong(key_path(key), element.shown(), kExpectation), element);
    } else {
      out.emplace_back(element.string());
    }
  }
}

Section Section::table(std::string_view key) {
  auto node = take(key);
  if (node && node->kind() != Node::Kind::table) {
    refuse(key, fmt::format("expected a section, [{}]", schema_path(key)));
    node.reset();
  }
  return Section(*report_, node, key_path(key), schema_path(key), for_keys_);
}

std::vector<Section> Section::tables(std::string_view key) {
  const auto node = take(key);
  std::vector<Section> out;
  if (for_keys_) out.push_back(Section(*report_, std::nullopt, key_path(key), schema_path(key), true));
  if (!node) return out;
  const std::string expectation = fmt::format("expected sections with two brackets, [[{}]]", schema_path(key));
  if (node->kind() != Node::Kind::array) {
    refuse(key, expectation);
    return out;
  }
  size_t position = 0;
  for (const Node& element : node->elements()) {
    const std::string path = fmt::format("{}[{}]", key_path(key), ++position);
    if (element.kind() != Node::Kind::table) {
      report_->add(wrong(path, element.shown(), expectation), element);
      continue;
    }
    out.push_back(Section(*report_, element, path, schema_path(key), false));
  }
  return out;
}

std::vector<Section::Named> Section::named_tables(std::string_view key) {
  std::map<std::string, Node> first_uses;
  std::vector<Named> out;
  for (Section& unnamed : tables(key)) {
    const auto name = unnamed.read_string("name", "expected a name");
    if (!name) {
      unnamed.require("name", "expected a name");
      out.push_back({"", std::move(unnamed)});
      continue;
    }
    Section section(*report_, unnamed.table_, item_key(key_path(key), *name), unnamed.schema_, false);
    section.known_ = unnamed.known_;
    if (const auto [first, fresh] = first_uses.emplace(*name, *section.find("name")); !fresh) {
      section.refuse("name", fmt::format("expected a name used once, and line {} has it", first->second.line()));
      out.push_back({"", std::move(section)});
      continue;
    }
    out.push_back({*name, std::move(section)});
  }
  return out;
}

void Section::reject_unknown_keys() {
  for (const Node::Member& member : members_) {
    if (std::ranges::find(known_, member.key) != known_.end()) continue;
    // The value stays out of the message: it may be a secret under a misspelt key.
    const Finding finding{key_path(check_name(member.key) ? hide_keys(member.key) : quote(member.key)),
                          fmt::format(": unknown key{}", did_you_mean(member.key, known_))};
    report_->add(finding, member.node);
  }
}

}  // namespace warmswap::config
