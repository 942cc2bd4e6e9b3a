// Reads one [section] of the document into values. Each call names a key; afterwards whatever stands in the section
// under another name is unknown. So the reader's code is the only list of keys there is.
// Used by the loader only; single-threaded; refers to a Report and a Document that must outlive it.
#pragma once

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controlplane/config/findings.h"
#include "controlplane/config/report.h"
#include "controlplane/config/text.h"

namespace warmswap::config {

class Section {
 public:
  Section(Report& report, const Node& root);
  /// A section that is read only to learn its keys: everything in it is present and nothing has a value.
  static Section for_keys(Report& report);

  /// True when the section stands in the file. An absent section reads as an empty one.
  bool present() const noexcept { return table_.has_value() || for_keys_; }
  /// "pool.web", as messages name the section.
  const std::string& path() const noexcept { return path_; }
  bool has(std::string_view key) const { return find(key).has_value(); }
  /// The file in which the key stands; it must be there.
  std::string file_of(std::string_view key) const { return find(key).value().file(); }

  // These write `out` when the key is there and right, and report it when it is there and wrong.
  void boolean(std::string_view key, bool& out);
  void string(std::string_view key, std::string& out);
  void duration(std::string_view key, Nanoseconds& out, const DurationRange& range);
  void address(std::string_view key, Be32& out);
  void strings(std::string_view key, std::vector<std::string>& out);
  template <typename T>
  void integer(std::string_view key, T& out, const Range& range) {
    if (const auto value = read_integer(key, range)) out = static_cast<T>(*value);
  }
  template <typename T>
  void integers(std::string_view key, std::vector<T>& out, const Range& range) {
    if (const auto values = read_integers(key, range)) out.assign(values->begin(), values->end());
  }
  template <typename Words, typename T>
  void word(std::string_view key, T& out, const Words& words) {
    const std::string expectation = "expected " + list_choices(words);
    if (const auto text = read_string(key, expectation)) {
      if (const auto value = parse_word(words, *text)) {
        out = *value;
      } else {
        refuse(key, expectation);
      }
    }
  }
  /// `parse` turns text into an optional value.
  template <typename Parse, typename T>
  void parsed(std::string_view key, T& out, Parse parse, std::string_view expectation) {
    if (const auto text = read_string(key, expectation)) {
      if (auto value = parse(*text)) {
        out = std::move(*value);
      } else {
        refuse(key, expectation);
      }
    }
  }

  /// A string whose value no message may show.
  std::optional<std::string> secret(std::string_view key, std::string_view expectation);

  /// Reports the key when it is missing.
  void require(std::string_view key, std::string_view expectation);
  /// Reports the key's value as wrong; the key is there.
  void refuse(std::string_view key, std::string_view expectation);
  /// Reports the key without showing a value.
  void refuse_hidden(std::string_view key, std::string_view sentence);
  void warn_about(std::string_view key, std::string_view sentence);

  Section table(std::string_view key);
  /// [[key]]: one section per element.
  std::vector<Section> tables(std::string_view key);
  /// [[key]] whose elements have names: reads `name` of each and drops, with a message, those without one and those
  /// whose name was used before.
  struct Named;
  std::vector<Named> named_tables(std::string_view key);

  void reject_unknown_keys();

 private:
  Section(Report& report, std::optional<Node> table, std::string path, std::string schema, bool for_keys);

  std::string key_path(std::string_view key) const;
  std::string schema_path(std::string_view key) const;
  std::optional<Node> find(std::string_view key) const;
  /// find() that marks the key as known.
  std::optional<Node> take(std::string_view key);
  std::optional<std::string> read_string(std::string_view key, std::string_view expectation);
  std::optional<int64_t> read_integer(std::string_view key, const Range& range);
  std::optional<std::vector<int64_t>> read_integers(std::string_view key, const Range& range);

  Report* report_;
  std::optional<Node> table_;
  std::string path_;
  std::string schema_;
  bool for_keys_;
  std::vector<Node::Member> members_;
  std::vector<std::string> known_;
};

struct Section::Named {
  std::string name;
  Section section;
};

}  // namespace warmswap::config
