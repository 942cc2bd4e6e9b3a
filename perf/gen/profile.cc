#include "perf/gen/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "controlplane/config/document.h"
#include "controlplane/config/files.h"
#include "controlplane/config/report.h"
#include "controlplane/config/text.h"
#include "perf/gen/fields.h"

namespace warmswap::gen {
namespace {

using config::Node;
using contract::Error;
using contract::Result;

/// A string as it is, an integer as its digits; nothing else describes a stream.
std::optional<std::string> value_text(const Node& node) {
  if (node.kind() == Node::Kind::string) return std::string(node.string());
  if (node.kind() == Node::Kind::integer) return std::to_string(node.integer());
  return std::nullopt;
}

class ProfileReader {
 public:
  explicit ProfileReader(const std::string& name) : report_(std::vector{name}) {}

  Result<Profile> read(const Node& root) {
    for (const Node::Member& member : root.members()) {
      if (member.key == "stream") {
        read_streams(member.node);
      } else if (member.key == "rate") {
        read_value(member, "rate", "a rate such as 1Mpps, or max", [this](std::string_view text) {
          profile_.rate = parse_rate(text);
          return profile_.rate.has_value();
        });
      } else if (member.key == "seed") {
        read_seed(member);
      } else {
        unknown(std::string(member.key), std::string(member.key), member.node, {"stream", "rate", "seed"});
      }
    }
    if (profile_.streams.empty() && !report_.has_errors()) {
      report_.add({"stream", " is missing: expected at least one [[stream]]"}, root);
    }
    if (report_.has_errors()) return Error{config::join(report_.errors(), "\n")};
    return std::move(profile_);
  }

 private:
  void unknown(const std::string& path, const std::string& key, const Node& node,
               const std::vector<std::string>& known) {
    report_.add({path, " is not a key of a profile" + config::did_you_mean(key, known)}, node);
  }

  template <typename Read>
  void read_value(const Node::Member& member, const std::string& path, std::string_view expected, Read read) {
    const auto text = value_text(member.node);
    if (text && read(*text)) return;
    report_.add(config::wrong(path, member.node.shown(), fmt::format("expected {}", expected)), member.node);
  }

  void read_seed(const Node::Member& member) {
    if (member.node.kind() == Node::Kind::integer && member.node.integer() >= 0) {
      profile_.seed = static_cast<uint64_t>(member.node.integer());
    } else {
      report_.add(config::wrong("seed", member.node.shown(), "expected an integer from 0"), member.node);
    }
  }

  void read_streams(const Node& node) {
    const std::vector<Node> elements = node.elements();
    if (elements.empty() || elements.front().kind() != Node::Kind::table) {
      report_.add(config::wrong("stream", node.shown(), "expected [[stream]] sections"), node);
      return;
    }
    if (elements.size() > kMaxStreams) {
      report_.add({"stream", fmt::format(": {} streams, expected at most {}", elements.size(), kMaxStreams)}, node);
      return;
    }
    for (const Node& element : elements) read_stream(element);
  }

  void read_stream(const Node& node) {
    StreamConfig stream;
    stream.name = fmt::format("stream{}", profile_.streams.size() + 1);
    const std::vector<Node::Member> members = node.members();
    const auto named = std::ranges::find(members, std::string_view("name"), &Node::Member::key);
    if (named != members.end() && named->node.kind() == Node::Kind::string) stream.name = named->node.string();
    const std::string path = config::item_key("stream", stream.name);
    std::vector<std::string> keys;
    for (const StreamField& field : stream_fields()) keys.emplace_back(field.key);
    for (const Node::Member& member : members) {
      const auto field = std::ranges::find(stream_fields(), member.key, &StreamField::key);
      const std::string key = fmt::format("{}.{}", path, member.key);
      if (field == stream_fields().end()) {
        unknown(key, std::string(member.key), member.node, keys);
      } else {
        read_value(member, key, field->expected, [&](std::string_view text) { return field->read(text, stream); });
      }
    }
    if (!names_.insert(stream.name).second) {
      report_.add({path, ": the name is used twice; each stream needs one of its own"}, node);
    }
    if (stream.vips.empty() && !report_.has_errors()) {
      report_.add({path + ".vip", " is missing: expected the addresses to send to"}, node);
    }
    if (const auto sentence = contradiction(stream); sentence && !report_.has_errors()) {
      report_.add({path, ": " + *sentence}, node);
    }
    profile_.streams.push_back(std::move(stream));
  }

  config::Report report_;
  Profile profile_;
  std::set<std::string> names_;
};

}  // namespace

Result<Profile> parse_profile(std::string_view text, const std::string& name) {
  auto document = config::Document::parse(text, name);
  if (!document) return Error{document.error()};
  return ProfileReader(name).read(document->root());
}

Result<Profile> read_profile(const std::string& path) {
  auto file = config::read_text_file(path);
  if (!file) return Error{file.error()};
  return parse_profile(file->text, path);
}

}  // namespace warmswap::gen
