#include "controlplane/health/http_response.h"

#include <gtest/gtest.h>

#include <random>

namespace warmswap::health {
namespace {

using Progress = HttpResponse::Progress;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST(HttpResponse, anyCutGivesTheSameStatus) {
  for (const std::string& text :
       {kOk, std::string("HTTP/1.0 503 \r\n\r\n"), std::string("HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + kOk}) {
    HttpResponse whole;
    ASSERT_EQ(whole.feed(text), Progress::complete) << text;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      HttpResponse head;
      Progress progress = head.feed(std::string_view(text).substr(0, cut));
      if (progress == Progress::more) progress = head.feed(std::string_view(text).substr(cut));
      ASSERT_EQ(progress, Progress::complete) << cut;
      ASSERT_EQ(head.status(), whole.status()) << cut;
    }
    HttpResponse bytewise;
    Progress progress = Progress::more;
    for (size_t i = 0; i < text.size() && progress == Progress::more; ++i) progress = bytewise.feed({&text[i], 1});
    EXPECT_EQ(progress, Progress::complete);
    EXPECT_EQ(bytewise.status(), whole.status());
  }
}

TEST(HttpResponse, theBodyMayBeOfAnySize) {
  HttpResponse head;
  EXPECT_EQ(head.feed("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), Progress::complete);
  EXPECT_EQ(head.status(), 200u);
}

TEST(HttpResponse, whatIsNotHttpIsMalformed) {
  using namespace std::string_view_literals;
  for (const auto text :
       {"SSH-2.0-OpenSSH_9.2\r\n"sv, "\x15\x03\x01\x00\x02\x02\x0a and more of a TLS alert\r\n\r\n"sv,
        "HTTP/1.1 2000 OK\r\n\r\n"sv, "HTTP/1.1 abc\r\n\r\n"sv, "HTTP/1.1 200 OK\r\nno colon\r\n\r\n"sv,
        "<html>hello</html>\r\n\r\n"sv, "HTTP/9.9 200 OK\r\n\r\n"sv, "GET / HTTP/1.1\r\n\r\n"sv}) {
    HttpResponse head;
    EXPECT_EQ(head.feed(text), Progress::malformed) << text;
    EXPECT_FALSE(head.problem().empty());
  }
}

TEST(HttpResponse, aHeaderWithoutEndIsCutOff) {
  for (const std::string& start : {std::string("HTTP/1.1 200 OK\r\n"), std::string("HTTP/1.1 200 "), std::string()}) {
    HttpResponse head;
    Progress progress = start.empty() ? Progress::more : head.feed(start);
    size_t fed = start.size();
    while (progress == Progress::more && fed < 10 * kHttpHeadLimit) {
      progress = head.feed("X-Padding: xxxxxxxxxxxxxxxxxxxx\r\n");
      fed += 33;
    }
    EXPECT_EQ(progress, Progress::malformed);
    EXPECT_LE(fed, kHttpHeadLimit + 64);
  }
}

TEST(HttpResponse, interimResponsesWithoutEndAreCutOff) {
  HttpResponse head;
  Progress progress = Progress::more;
  size_t fed = 0;
  while (progress == Progress::more && fed < 10 * kHttpHeadLimit) {
    progress = head.feed("HTTP/1.1 100 Continue\r\n\r\n");
    fed += 25;
  }
  EXPECT_EQ(progress, Progress::malformed);
}

TEST(HttpResponse, randomBytesEndInAnAnswerOrAQuestionForMore) {
  std::mt19937 random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = kOk;
    for (int edits = 0; edits < 3; ++edits) text[random() % text.size()] = static_cast<char>(random());
    HttpResponse head;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + random() % 20;
      if (head.feed(std::string_view(text).substr(at, size)) != Progress::more) break;
      at += size;
    }
  }
}

TEST(HttpResponse, theBodyIsReadInAnyFramingAndAnyCut) {
  const std::string chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n";
  for (const std::string& text : {kOk, chunked, std::string("HTTP/1.0 200 OK\r\n\r\nhello")}) {
    for (size_t cut = 0; cut < text.size(); ++cut) {
      HttpResponse response(HttpResponse::Want::body);
      Progress progress = response.feed(std::string_view(text).substr(0, cut));
      if (progress == Progress::more) progress = response.feed(std::string_view(text).substr(cut));
      if (progress == Progress::more) progress = response.end();
      ASSERT_EQ(progress, Progress::complete) << text << " cut at " << cut;
      ASSERT_EQ(response.body(), "hello") << text << " cut at " << cut;
    }
  }
}

TEST(HttpResponse, ofALargeBodyOnlyTheBeginningIsRead) {
  HttpResponse response(HttpResponse::Want::body);
  EXPECT_EQ(response.feed("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), Progress::more);
  size_t fed = 0;
  while (response.feed(std::string(1000, 'x')) == Progress::more) fed += 1000;
  EXPECT_EQ(response.body().size(), kHttpBodyLimit);
  EXPECT_LE(fed, kHttpBodyLimit);
}

TEST(HttpResponse, aBodyThatBreaksOffIsMalformed) {
  HttpResponse response(HttpResponse::Want::body);
  EXPECT_EQ(response.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), Progress::more);
  EXPECT_EQ(response.end(), Progress::malformed);
  EXPECT_EQ(response.problem(), "connection closed before the end of the body");
}

}  // namespace
}  // namespace warmswap::health
