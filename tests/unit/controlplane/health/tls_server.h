// What makes a server of loopback_server.h one over TLS, with a certificate made here.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "tests/unit/controlplane/health/loopback_server.h"

namespace warmswap::health {

class TlsIdentity {
 public:
  TlsIdentity() : key_(EVP_EC_gen("P-256")) {
    std::signal(SIGPIPE, SIG_IGN);  // the prober may go at any time
    std::string pattern = "/tmp/warmswap-tls-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    use_certificate("www.example");
  }
  ~TlsIdentity() {
    unlink(ca_file().c_str());
    rmdir(directory_.c_str());
  }
  TlsIdentity(const TlsIdentity&) = delete;
  TlsIdentity& operator=(const TlsIdentity&) = delete;

  /// For this DNS name, signed by itself, valid from now for an hour, or until a minute ago.
  void use_certificate(const std::string& name, bool expired = false) {
    const std::unique_ptr<X509, Free<X509_free>> certificate(make_certificate(name, expired));
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), certificate.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    SSL_CTX_set_alpn_select_cb(context_.get(), select_protocol, this);
    FILE* file = std::fopen(ca_file().c_str(), "w");
    PEM_write_X509(file, certificate.get());
    std::fclose(file);
  }
  std::string ca_file() const { return directory_ + "/ca.pem"; }

  /// The same service, once a TLS handshake is over; ends without a goodbye of TLS.
  Server::Serve over_tls(Server::Serve serve) {
    return [this, serve = std::move(serve)](const Server::Connection& connection) {
      const std::unique_ptr<SSL, Free<SSL_free>> tls(SSL_new(context_.get()));
      SSL_set_fd(tls.get(), connection.fd());
      if (SSL_accept(tls.get()) != 1) return;
      const char* name = SSL_get_servername(tls.get(), TLSEXT_NAMETYPE_host_name);
      {
        const std::lock_guard lock(mutex_);
        server_name_ = name == nullptr ? "" : name;
      }
      serve(Connection(connection, tls.get()));
    };
  }

  /// The application protocol to agree on (ALPN); "" = to none, whatever is offered.
  std::string protocol;

  /// What the last client asked for: a name (SNI), and protocols as they stand on the wire.
  std::string server_name() {
    const std::lock_guard lock(mutex_);
    return server_name_;
  }
  std::string offered_protocols() {
    const std::lock_guard lock(mutex_);
    return offered_protocols_;
  }

 private:
  template <auto kFree>
  struct Free {
    template <typename T>
    void operator()(T* value) const {
      kFree(value);
    }
  };

  class Connection final : public Server::Connection {
   public:
    Connection(const Server::Connection& below, SSL* tls) : Server::Connection(below), tls_(tls) {}
    std::string receive() const override {
      char buffer[1024];
      if (SSL_pending(tls_) == 0 && !readable()) return {};
      const int got = SSL_read(tls_, buffer, sizeof(buffer));
      return {buffer, static_cast<size_t>(got > 0 ? got : 0)};
    }
    bool send(std::string_view text) const override {
      return SSL_write(tls_, text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size());
    }

   private:
    SSL* tls_;
  };

  X509* make_certificate(const std::string& name, bool expired) {
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_set_version(certificate, 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), expired ? -60 : 3600);
    X509_set_pubkey(certificate, key_.get());
    X509_NAME* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, subject);
    const std::string names = "DNS:" + name;
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, key_.get(), EVP_sha256());
    return certificate;
  }

  static int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                             unsigned size, void* user) {
    auto& self = *static_cast<TlsIdentity*>(user);
    {
      const std::lock_guard lock(self.mutex_);
      self.offered_protocols_.assign(reinterpret_cast<const char*>(offered), size);
    }
    if (self.protocol.empty()) return SSL_TLSEXT_ERR_NOACK;
    const std::string mine = static_cast<char>(self.protocol.size()) + self.protocol;
    const std::string_view list(reinterpret_cast<const char*>(offered), size);
    const size_t at = list.find(mine);
    if (at == list.npos) return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = offered + at + 1;
    *out_size = static_cast<unsigned char>(self.protocol.size());
    return SSL_TLSEXT_ERR_OK;
  }

  std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>> key_;
  std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>> context_;
  std::string directory_;
  std::mutex mutex_;
  std::string server_name_;
  std::string offered_protocols_;
};

}  // namespace warmswap::health
