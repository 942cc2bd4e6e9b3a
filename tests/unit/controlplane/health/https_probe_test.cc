// https against servers with certificates made here.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "tests/unit/controlplane/health/prober_fixture.h"

namespace warmswap::health {
namespace {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* value) const {
    kFree(value);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Free<SSL_free>>;

/// A certificate for this DNS name, signed by itself, valid from now for an hour, or until a minute ago.
Certificate make_certificate(EVP_PKEY* key, const std::string& name, bool expired) {
  Certificate certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_set_version(certificate.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -7200);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expired ? -60 : 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), subject);
  const std::string names = "DNS:" + name;
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

class HttpsProbe : public ProberTest {
 protected:
  HttpsProbe() : key_(EVP_EC_gen("P-256")) {
    std::signal(SIGPIPE, SIG_IGN);
    std::string pattern = "/tmp/warmswap-tls-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~HttpsProbe() override {
    unlink((directory_ + "/ca.pem").c_str());
    rmdir(directory_.c_str());
  }

  void use_certificate(const std::string& name, bool expired = false) {
    const Certificate certificate = make_certificate(key_.get(), name, expired);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    FILE* file = std::fopen((directory_ + "/ca.pem").c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
  }

  /// A server for one connection after the other that answers with this status and remembers the name it was asked for.
  Server::Serve answering(const std::string& status) {
    return [this, status](const Server::Connection& connection) {
      const Connection tls(SSL_new(context_.get()));
      SSL_set_fd(tls.get(), connection.fd());
      if (SSL_accept(tls.get()) != 1) return;  // the prober may have gone: SIGPIPE is ignored
      if (const char* name = SSL_get_servername(tls.get(), TLSEXT_NAMETYPE_host_name)) asked_for_ = name;
      char buffer[1024];
      SSL_read(tls.get(), buffer, sizeof(buffer));
      const std::string answer = "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n";
      SSL_write(tls.get(), answer.data(), static_cast<int>(answer.size()));
    };
  }

  Target asking(uint16_t port, const std::string& host, bool verify) const {
    Target target = ProberTest::target(1, port, ProbeKind::https);
    target.probe.host = host;
    target.probe.verify = verify;
    if (verify) target.probe.ca_file = directory_ + "/ca.pem";
    return target;
  }

  Key key_;
  Context context_;
  std::string directory_;
  std::string asked_for_;
};

TEST_F(HttpsProbe, AnExpectedStatusIsGoodWhoeverTheServerSaysItIs) {
  use_certificate("other.example", true);
  Server server(answering("200 OK"));
  const ProbeResult result = probe_once(asking(server.port(), "www.example", false));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
  EXPECT_EQ(result.detail, "HTTP status 200");
  EXPECT_EQ(asked_for_, "www.example") << "SNI";
}

TEST_F(HttpsProbe, AnotherStatusIsBad) {
  use_certificate("www.example");
  Server server(answering("503 No"));
  EXPECT_EQ(probe_once(asking(server.port(), "www.example", false)).detail, "HTTP status 503, expected 200");
}

TEST_F(HttpsProbe, AVerifiedCertificateIsGood) {
  use_certificate("www.example");
  Server server(answering("200 OK"));
  const ProbeResult result = probe_once(asking(server.port(), "www.example", true));
  EXPECT_EQ(result.outcome, Outcome::good) << result.detail;
}

TEST_F(HttpsProbe, ACertificateForSomebodyElseIsBad) {
  use_certificate("other.example");
  Server server(answering("200 OK"));
  const ProbeResult result = probe_once(asking(server.port(), "www.example", true));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: certificate verify failed"), std::string::npos) << result.detail;
}

TEST_F(HttpsProbe, AnExpiredCertificateIsBad) {
  use_certificate("www.example", true);
  Server server(answering("200 OK"));
  EXPECT_EQ(probe_once(asking(server.port(), "www.example", true)).outcome, Outcome::bad);
}

TEST_F(HttpsProbe, AServerThatSpeaksNoTlsIsBad) {
  Server server([](const Server::Connection& connection) { connection.send("HTTP/1.1 200 OK\r\n\r\n"); });
  const ProbeResult result = probe_once(asking(server.port(), "", false));
  EXPECT_EQ(result.outcome, Outcome::bad);
  EXPECT_NE(result.detail.find("TLS: "), std::string::npos) << result.detail;
}

TEST_F(HttpsProbe, AMissingCaFileSaysNothingAboutTheBackend) {
  use_certificate("www.example");
  Server server(answering("200 OK"));
  Target target = asking(server.port(), "www.example", true);
  target.probe.ca_file = directory_ + "/none.pem";
  const ProbeResult result = probe_once(target);
  EXPECT_EQ(result.outcome, Outcome::not_run);
  EXPECT_NE(result.detail.find("cannot read the certificates of ca_file"), std::string::npos) << result.detail;
}

}  // namespace
}  // namespace warmswap::health
