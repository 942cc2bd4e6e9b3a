// Everything found wrong in one document, with the lines it stands on. Used by the loader only; single-threaded.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/document.h"
#include "controlplane/config/findings.h"

namespace warmswap::config {

class Report {
 public:
  /// `files` in the order they are read; what has no line is said of the first.
  explicit Report(std::vector<std::string> files) : files_(std::move(files)) {}

  /// Remembers where a key stands, for findings that name only the key. The first of equal keys counts.
  void place(const std::string& key, const Node& node) { places_.emplace(key, node); }

  /// A finding about `key` that stands at `node`.
  void add(const Finding& finding, const Node& node);
  /// A finding of rules.h: placed at its key or the nearest section around it, and dropped when its key or one that it
  /// depends on was already reported as wrong, since then it judges a default instead of what the file says.
  void add(Finding finding);

  bool has_errors() const noexcept { return !failed_.empty(); }
  /// `file:line: key = value: expected …`, in the order of the file.
  std::vector<std::string> errors() const { return lines(false); }
  std::vector<std::string> warnings() const { return lines(true); }

  /// The names the reader asked for, without the items' names: "pool.probe.interval".
  void know(const std::string& key) { known_.insert(key); }
  const std::set<std::string>& known() const noexcept { return known_; }

 private:
  struct Line {
    size_t file;      // which of files_
    uint32_t number;  // 0 = none
    std::string text;
    bool warning;
  };

  std::vector<std::string> lines(bool warning) const;
  void store(const Finding& finding, const Node* place);

  std::vector<std::string> files_;
  std::map<std::string, Node> places_;
  std::set<std::string> failed_;
  std::set<std::string> known_;
  std::vector<Line> lines_;
};

}  // namespace warmswap::config
