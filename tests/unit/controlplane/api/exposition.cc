#include "tests/unit/controlplane/api/exposition.h"

#include <cctype>
#include <cmath>
#include <cstdlib>
#include <stdexcept>

namespace warmswap::api {

namespace {

class Reader {
 public:
  void line(std::string_view text) {
    rest_ = text;
    if (text.starts_with("# HELP ")) {
      rest_.remove_prefix(7);
      help();
    } else if (text.starts_with("# TYPE ")) {
      rest_.remove_prefix(7);
      type();
    } else if (text.empty() || text[0] == '#') {
      throw std::runtime_error("neither HELP, TYPE nor a sample");
    } else {
      sample();
    }
  }

  std::map<std::string, Family> take() { return std::move(families_); }

 private:
  std::string name(bool metric) {
    size_t end = 0;
    while (end < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[end])) != 0 || rest_[end] == '_' ||
                                  (metric && rest_[end] == ':'))) {
      ++end;
    }
    if (end == 0 || std::isdigit(static_cast<unsigned char>(rest_[0])) != 0) throw std::runtime_error("bad name");
    std::string result(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return result;
  }

  void expect(char c) {
    if (rest_.empty() || rest_[0] != c) throw std::runtime_error(std::string("expected ") + c);
    rest_.remove_prefix(1);
  }

  void help() {
    current_ = name(true);
    expect(' ');
    if (families_.contains(current_)) throw std::runtime_error("a second HELP for " + current_);
    if (rest_.empty()) throw std::runtime_error("an empty HELP");
    families_[current_].help = rest_;
  }

  void type() {
    if (name(true) != current_) throw std::runtime_error("TYPE does not follow its HELP");
    expect(' ');
    Family& family = families_[current_];
    if (!family.type.empty()) throw std::runtime_error("a second TYPE");
    if (rest_ != "counter" && rest_ != "gauge" && rest_ != "histogram") throw std::runtime_error("an unknown type");
    family.type = rest_;
    if ((rest_ == "counter") != current_.ends_with("_total")) throw std::runtime_error("_total is for counters");
  }

  std::string label_value() {
    expect('"');
    std::string value;
    while (!rest_.empty() && rest_[0] != '"') {
      char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '\\') {
        if (rest_.empty()) throw std::runtime_error("a lone backslash");
        c = rest_[0] == 'n' ? '\n' : rest_[0];
        if (c != '\n' && c != '\\' && c != '"') throw std::runtime_error("an unknown escape");
        rest_.remove_prefix(1);
      }
      value += c;
    }
    expect('"');
    return value;
  }

  LabelSet labels() {
    LabelSet result;
    if (rest_.empty() || rest_[0] != '{') return result;
    char next = ',';
    while (next == ',') {
      rest_.remove_prefix(1);
      std::string label = name(false);
      expect('=');
      if (!result.emplace(label, label_value()).second) throw std::runtime_error("a label twice");
      if (rest_.empty()) throw std::runtime_error("labels without an end");
      next = rest_[0];
    }
    expect('}');
    return result;
  }

  void sample() {
    Family& family = families_[current_];
    if (family.type.empty()) throw std::runtime_error("a sample before its TYPE");
    const std::string named = name(true);
    LabelSet set = labels();
    if (family.type == "histogram") {
      if (named != current_ + "_bucket" && named != current_ + "_sum" && named != current_ + "_count") {
        throw std::runtime_error("a sample outside its histogram");
      }
      if (set.contains("le") != named.ends_with("_bucket")) throw std::runtime_error("le is for buckets");
      set["of"] = named.substr(current_.size() + 1);
    } else if (named != current_) {
      throw std::runtime_error("a sample outside its family");
    }
    expect(' ');
    const std::string number(rest_);
    char* end = nullptr;
    const double value = std::strtod(number.c_str(), &end);
    if (number.empty() || *end != '\0' || std::isspace(static_cast<unsigned char>(number[0])) != 0) {
      throw std::runtime_error("a bad number");
    }
    if (!std::isfinite(value)) throw std::runtime_error("a number that is none");
    if (family.type == "counter" && value < 0) throw std::runtime_error("a negative counter");
    if (!family.samples.emplace(set, value).second) throw std::runtime_error("a series twice");
  }

  std::string_view rest_;
  std::string current_;
  std::map<std::string, Family> families_;
};

}  // namespace

ParsedExposition parse_exposition(std::string_view text) {
  Reader reader;
  if (!text.ends_with('\n')) return {{}, "the last line does not end"};
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    ++number;
    try {
      reader.line(text.substr(0, end));
    } catch (const std::runtime_error& fault) {
      return {{}, "line " + std::to_string(number) + ": " + fault.what() + ": " + std::string(text.substr(0, end))};
    }
    text.remove_prefix(end + 1);
  }
  return {reader.take(), ""};
}

}  // namespace warmswap::api
