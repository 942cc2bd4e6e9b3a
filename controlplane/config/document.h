// A parsed TOML document as a tree of light views. Hides toml11, whose headers cost seconds per file, behind
// document.cc. Single-threaded; a Node lives as long as its Document.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/result.h"

namespace warmswap::config {

class Node {
 public:
  enum class Kind : uint8_t { table, array, string, integer, boolean, other };
  struct Member;

  Kind kind() const noexcept { return kind_; }
  /// These three are right only for a node of that kind; otherwise they return an empty value.
  std::string_view string() const;
  int64_t integer() const;
  bool boolean() const;

  /// Elements of an array, members of a table (in no order); empty for other kinds.
  std::vector<Node> elements() const;
  std::vector<Member> members() const;

  /// 1-based. Counts newlines from the start of the file: ask only when there is something to report.
  uint32_t line() const;
  /// The name of the file it stands in.
  std::string file() const;
  /// The value as a message shows it: as written, strings through quote(), "a table" and "an array" for those.
  std::string shown() const;

 private:
  friend class Document;
  explicit Node(const void* value);

  const void* value_;
  Kind kind_;
};

struct Node::Member {
  std::string_view key;
  Node node;
};

class Document {
 public:
  /// `name` stands in front of error messages: "name:line: not valid TOML: …", which never quotes the file's text.
  static contract::Result<Document> parse(std::string_view text, const std::string& name);

  /// Lays `later` over this: its keys count, tables merge key by key, and lists of tables with names (backends) merge
  /// by name. Every node goes on saying which file it stands in.
  void lay_over(const Document& later);

  Node root() const;

 private:
  std::shared_ptr<const void> value_;
};

}  // namespace warmswap::config
