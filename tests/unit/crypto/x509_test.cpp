// Certificates: one identity each, one form, and every shortcut of a forger refused.
#include "common/crypto/x509.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "common/core/file.h"
#include "common/crypto/sha256.h"
#include "common/crypto/x509_handles.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

constexpr std::int64_t kStart = 1'770'000'000;
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kEnd = kStart + 730 * kDay;

struct Authority {
  explicit Authority(const std::string& consortium)
      : certificate(MakeRoot(key, consortium, kStart, kStart + 3650 * kDay).value()) {}
  TlsKey key = TlsKey::Generate();
  X509Certificate certificate;
};

const Authority& Hearts() {
  static const Authority authority("hearts");
  return authority;
}

Identity SiteA() {
  return {"hearts", Role::kSite, "site-a"};
}

Result<X509Certificate> IssueTo(const TlsKey& key, const Identity& identity) {
  return Issue(Hearts().key, Hearts().certificate, MakeRequest(key, identity), identity, kStart, kEnd);
}

// A leaf of the root with whatever form a test wants. `change` sets what it needs; the rest follows.
struct Odd {
  int version = X509_VERSION_3;
  std::string curve = "prime256v1";
  std::vector<std::pair<int, std::string>> extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                                                         {NID_key_usage, "critical,digitalSignature"},
                                                         {NID_ext_key_usage, "clientAuth"},
                                                         {NID_subject_alt_name, "URI:synod://hearts/site/site-a"}};
  const EVP_MD* digest = EVP_sha256();

  void Set(int nid, const std::string& value) {
    for (auto& [known, text] : extensions) {
      if (known == nid) text = value;
    }
  }
  void Drop(int nid) {
    std::erase_if(extensions, [nid](const auto& extension) { return extension.first == nid; });
  }
};

Result<X509Certificate> Made(const std::function<void(Odd&)>& change) {
  Odd odd;
  change(odd);
  const X509Handle certificate(X509_new());
  X509_set_version(certificate.get(), odd.version);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), kStart);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), kEnd);
  const KeyHandle key(odd.curve == "rsa"       ? EVP_RSA_gen(2048)
                      : odd.curve == "ed25519" ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                               : EVP_EC_gen(odd.curve.c_str()));
  X509_set_pubkey(certificate.get(), key.get());
  const Bytes& der = Hearts().certificate.der();
  const unsigned char* cursor = der.data();
  const X509Handle root(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(root.get()));
  for (const auto& [nid, value] : odd.extensions) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, root.get(), certificate.get(), nullptr, nullptr, 0);
    const X509ExtensionHandle extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    EXPECT_NE(extension, nullptr) << value;
    X509_add_ext(certificate.get(), extension.get(), -1);
  }
  X509_sign(certificate.get(), Hearts().key.state().key.get(), odd.digest);
  const BioHandle bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return X509Certificate::FromPem(TextOf(bio));
}

// Parsed and taken for a leaf of the root.
bool Passes(const std::function<void(Odd&)>& change) {
  const Result<X509Certificate> certificate = Made(change);
  return certificate.ok() && certificate->CheckIssuedBy(Hearts().certificate).ok();
}

TEST(X509, StatesTheFactsOfALeafAndOfItsRoot) {
  const TlsKey key = TlsKey::Generate();
  const X509Certificate leaf = IssueTo(key, SiteA()).value();
  EXPECT_EQ(leaf.facts().identity, SiteA());
  EXPECT_FALSE(leaf.facts().is_root);
  EXPECT_EQ(leaf.facts().not_before_unix, kStart);
  EXPECT_EQ(leaf.facts().not_after_unix, kEnd);
  EXPECT_EQ(leaf.facts().key_fingerprint, key.PublicFingerprint());
  EXPECT_EQ(leaf.facts().certificate_fingerprint, Sha256(leaf.der()));
  EXPECT_EQ(leaf.facts().serial_hex.size(), 32u);
  EXPECT_TRUE(leaf.CheckIssuedBy(Hearts().certificate).ok());
  const CertificateFacts& root = Hearts().certificate.facts();
  EXPECT_TRUE(root.is_root);
  EXPECT_EQ(root.identity.Uri(), "synod://hearts/admin/root");
  EXPECT_TRUE(Hearts().certificate.CheckIssuedBy(Hearts().certificate).ok());
}

TEST(X509, SurvivesItsPemAndItsDer) {
  const X509Certificate leaf = IssueTo(TlsKey::Generate(), SiteA()).value();
  EXPECT_EQ(X509Certificate::FromPem(leaf.ToPem())->der(), leaf.der());
  EXPECT_EQ(X509Certificate::FromDer(leaf.der())->facts().identity, SiteA());
  const std::string path = testing::TemporaryFolder() + "/leaf.crt";
  ASSERT_TRUE(WriteFileAtomically(path, AsBytes(leaf.ToPem())).ok());
  EXPECT_EQ(X509Certificate::FromFile(path)->der(), leaf.der());
}

TEST(X509, HoldsForEveryRole) {
  for (const Role role : {Role::kCoordinator, Role::kSite, Role::kViewer, Role::kOperator, Role::kAdmin}) {
    const X509Certificate leaf = IssueTo(TlsKey::Generate(), {"hearts", role, "name-1"}).value();
    EXPECT_EQ(leaf.facts().identity.role, role);
    EXPECT_TRUE(leaf.CheckIssuedBy(Hearts().certificate).ok()) << RoleName(role);
  }
}

TEST(X509, ExpiryIsAFactAndNoError) {
  const TlsKey key = TlsKey::Generate();
  const auto old =
      Issue(Hearts().key, Hearts().certificate, MakeRequest(key, SiteA()), SiteA(), 1'000'000'000, 1'000'000'001);
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->facts().not_after_unix, 1'000'000'001);
  EXPECT_TRUE(old->CheckIssuedBy(Hearts().certificate).ok());
  const auto far = Issue(Hearts().key, Hearts().certificate, MakeRequest(key, SiteA()), SiteA(), kStart, 4'000'000'000);
  ASSERT_TRUE(far.ok()) << "beyond 2050 X.509 writes times in another form";
  EXPECT_EQ(far->facts().not_after_unix, 4'000'000'000);
}

TEST(X509, HasExactlyOneNameAndItIsAnIdentity) {
  EXPECT_TRUE(Passes([](Odd&) {})) << "the unchanged form passes";
  const auto named = [](const std::string& names) {
    return Passes([&](Odd& odd) { odd.Set(NID_subject_alt_name, names); });
  };
  EXPECT_FALSE(named("URI:synod://hearts/site/site-a,URI:synod://hearts/operator/eve"));
  EXPECT_FALSE(named("URI:synod://hearts/site/site-a,DNS:hospital.example"));
  EXPECT_FALSE(named("DNS:hospital.example"));
  EXPECT_FALSE(named("email:eve@hospital.example"));
  EXPECT_FALSE(named("URI:https://hearts/site/site-a"));
  EXPECT_FALSE(named("URI:synod://hearts/site/site-a/"));
  EXPECT_FALSE(named("URI:synod://hearts/site/Site-A"));
  EXPECT_FALSE(named("URI:synod://hearts/root/site-a"));
  EXPECT_FALSE(named("URI:synod://lungs/site/site-a")) << "of another consortium than its root";
  EXPECT_FALSE(named("URI:synod://hearts/admin/root")) << "a leaf with the root's name";
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Drop(NID_subject_alt_name); }));
  EXPECT_FALSE(Passes([](Odd& odd) {
    odd.extensions.emplace_back(NID_subject_alt_name, "URI:synod://hearts/operator/eve");
  })) << "the extension twice";
}

TEST(X509, LeavesCannotIssueAndSayWhatTheyAreFor) {
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Drop(NID_basic_constraints); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Set(NID_basic_constraints, "critical,CA:TRUE"); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Drop(NID_key_usage); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Set(NID_key_usage, "critical,digitalSignature,keyCertSign"); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Set(NID_key_usage, "critical,keyAgreement"); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Drop(NID_ext_key_usage); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Set(NID_ext_key_usage, "serverAuth"); }));
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Set(NID_ext_key_usage, "serverAuth,clientAuth"); })) << "a site is no server";
  EXPECT_FALSE(Passes([](Odd& odd) { odd.Set(NID_ext_key_usage, "clientAuth,codeSigning"); }));
  const auto coordinator = [](const std::string& use) {
    return Passes([&](Odd& odd) {
      odd.Set(NID_subject_alt_name, "URI:synod://hearts/coordinator/main");
      odd.Set(NID_ext_key_usage, use);
    });
  };
  EXPECT_FALSE(coordinator("clientAuth"));
  EXPECT_TRUE(coordinator("serverAuth,clientAuth"));
}

TEST(X509, HasAKeyOnP256AndSha256AndVersion3) {
  EXPECT_FALSE(Made([](Odd& odd) { odd.curve = "secp384r1"; }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.curve = "secp256k1"; }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.curve = "rsa"; }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.curve = "ed25519"; }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.digest = EVP_sha1(); }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.version = X509_VERSION_1; }).ok());
}

TEST(X509, HasNoExtensionsThatWeDoNotKnow) {
  EXPECT_FALSE(Made([](Odd& odd) { odd.extensions.emplace_back(NID_inhibit_any_policy, "critical,1"); }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.extensions.emplace_back(NID_name_constraints, "permitted;DNS:x"); }).ok());
  EXPECT_FALSE(Made([](Odd& odd) { odd.extensions.emplace_back(NID_netscape_comment, "hello"); }).ok());
}

TEST(X509, ComesFromTheRootOfItsOwnConsortium) {
  const Authority impostor("hearts");  // the same name, another key
  const Authority lungs("lungs");
  const X509Certificate leaf = IssueTo(TlsKey::Generate(), SiteA()).value();
  EXPECT_EQ(leaf.CheckIssuedBy(impostor.certificate).error().code, ErrorCode::kVerificationFailed);
  EXPECT_EQ(leaf.CheckIssuedBy(lungs.certificate).error().code, ErrorCode::kVerificationFailed);
  EXPECT_EQ(leaf.CheckIssuedBy(leaf).error().code, ErrorCode::kVerificationFailed) << "a leaf is no root";
  EXPECT_FALSE(impostor.certificate.CheckIssuedBy(Hearts().certificate).ok());
}

TEST(X509, AChangedByteIsRefused) {
  const X509Certificate leaf = IssueTo(TlsKey::Generate(), SiteA()).value();
  for (std::size_t i = 0; i < leaf.der().size(); ++i) {
    Bytes bad = leaf.der();
    bad[i] = static_cast<std::uint8_t>(bad[i] ^ 0x01);
    const Result<X509Certificate> parsed = X509Certificate::FromDer(bad);
    ASSERT_FALSE(parsed.ok() && parsed->CheckIssuedBy(Hearts().certificate).ok()) << "byte " << i;
  }
}

TEST(X509, GarbageIsBadInput) {
  const X509Certificate leaf = IssueTo(TlsKey::Generate(), SiteA()).value();
  const auto bad_pem = [](const std::string& pem) {
    const auto parsed = X509Certificate::FromPem(pem);
    return !parsed.ok() && parsed.error().code == ErrorCode::kBadInput;
  };
  EXPECT_TRUE(bad_pem(""));
  EXPECT_TRUE(bad_pem("garbage"));
  EXPECT_TRUE(bad_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_TRUE(bad_pem(leaf.ToPem() + leaf.ToPem())) << "two certificates";
  EXPECT_TRUE(bad_pem(std::string(X509Certificate::kMaxPemBytes + 1, 'A')));
  EXPECT_TRUE(bad_pem(TlsKey::Generate().PublicPem()));
  for (std::size_t length = 0; length < leaf.der().size(); ++length) {
    const auto parsed = X509Certificate::FromDer(ByteView(leaf.der()).first(length));
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().code, ErrorCode::kBadInput);
  }
  Bytes longer = leaf.der();
  longer.push_back(0);
  EXPECT_FALSE(X509Certificate::FromDer(longer).ok());
  EXPECT_FALSE(X509Certificate::FromFile("/nonexistent/ca.pem").ok());
}

TEST(X509, IssuesOnlyForRequestsThatTheirKeySigned) {
  const std::string request = MakeRequest(TlsKey::Generate(), SiteA());
  const auto issue = [](std::string_view pem, const Identity& identity, const Authority& authority) {
    return Issue(authority.key, authority.certificate, pem, identity, kStart, kEnd);
  };
  EXPECT_TRUE(issue(request, SiteA(), Hearts()).ok());
  std::size_t refused = 0;
  std::size_t tried = 0;
  for (std::size_t i = 60; i + 40 < request.size(); i += 3) {
    std::string bad = request;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    if (bad == request || request[i] == '\n') continue;
    ++tried;
    if (!issue(bad, SiteA(), Hearts()).ok()) ++refused;
  }
  EXPECT_EQ(refused, tried);
  EXPECT_FALSE(issue("garbage", SiteA(), Hearts()).ok());
  EXPECT_FALSE(issue(request, {"lungs", Role::kSite, "site-a"}, Hearts()).ok());
  EXPECT_FALSE(issue(request, {"hearts", Role::kAdmin, "root"}, Hearts()).ok());
  EXPECT_FALSE(issue(request, {"hearts", Role::kSite, "Site,URI:x"}, Hearts()).ok());
  EXPECT_FALSE(issue(MakeRequest(Hearts().key, SiteA()), SiteA(), Hearts()).ok()) << "the root's own key";
  EXPECT_FALSE(Issue(TlsKey::Generate(), Hearts().certificate, request, SiteA(), kStart, kEnd).ok());
  EXPECT_FALSE(Issue(Hearts().key, Hearts().certificate, request, SiteA(), kEnd, kStart).ok());
  EXPECT_FALSE(MakeRoot(Hearts().key, "Not A Name", kStart, kEnd).ok());
}

TEST(X509, NamesInsideARequestDoNotCount) {
  const TlsKey key = TlsKey::Generate();
  const std::string request = MakeRequest(key, {"lungs", Role::kAdmin, "eve"});
  const auto leaf = Issue(Hearts().key, Hearts().certificate, request, SiteA(), kStart, kEnd);
  EXPECT_EQ(leaf->facts().identity, SiteA());
}

TEST(X509, SignaturesAreBoundToKeyLabelAndMessage) {
  const Bytes message = {1, 2, 3};
  const Bytes signature = Hearts().key.Sign("synod.test", message);
  const X509Certificate& root = Hearts().certificate;
  EXPECT_TRUE(root.VerifySignature("synod.test", message, signature));
  EXPECT_FALSE(root.VerifySignature("synod.other", message, signature));
  EXPECT_FALSE(root.VerifySignature("synod.test", Bytes{1, 2}, signature));
  EXPECT_FALSE(Authority("hearts").certificate.VerifySignature("synod.test", message, signature));
  EXPECT_FALSE(root.VerifySignature("synod.test", message, {}));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    for (const int mask : {1, 0x80}) {
      Bytes bad = signature;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ mask);
      ASSERT_FALSE(root.VerifySignature("synod.test", message, bad)) << i;
    }
  }
  Bytes longer = signature;
  longer.push_back(0);
  EXPECT_FALSE(root.VerifySignature("synod.test", message, longer));
}

TEST(X509, ASignatureHasOneForm) {
  // (r, order - s) is what anybody can make of (r, s) without the key.
  const Bytes message = {9};
  const Bytes signature = Hearts().key.Sign("synod.test", message);
  const unsigned char* cursor = signature.data();
  const EcdsaSignatureHandle parsed(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(signature.size())));
  const OpensslHandle<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  BIGNUM* other = BN_new();
  BN_sub(other, EC_GROUP_get0_order(group.get()), ECDSA_SIG_get0_s(parsed.get()));
  ECDSA_SIG_set0(parsed.get(), BN_dup(ECDSA_SIG_get0_r(parsed.get())), other);
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(parsed.get(), &der);
  const Bytes twin(der, der + size);
  OPENSSL_free(der);
  EXPECT_NE(twin, signature);
  EXPECT_FALSE(Hearts().certificate.VerifySignature("synod.test", message, twin));
}

TEST(TlsKeyFile, IsReadableByItsOwnerAloneAndNeverOverwritten) {
  const std::string path = testing::TemporaryFolder() + "/own.key";
  const TlsKey key = TlsKey::Generate();
  ASSERT_TRUE(key.WritePemFile(path).ok());
  struct stat info {};
  ASSERT_EQ(stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600);
  EXPECT_FALSE(TlsKey::Generate().WritePemFile(path).ok());
  EXPECT_EQ(TlsKey::LoadPemFile(path)->PublicFingerprint(), key.PublicFingerprint());
  EXPECT_FALSE(TlsKey::Generate().WritePemFile("/nonexistent/own.key").ok());
}

TEST(TlsKeyFile, OfAnotherKindIsBadInputAndNamesThePathAlone) {
  const std::string folder = testing::TemporaryFolder();
  const auto refused = [&](const std::string& text) {
    const std::string path = folder + "/some.key";
    EXPECT_TRUE(WriteFileAtomically(path, AsBytes(text)).ok());
    const auto key = TlsKey::LoadPemFile(path);
    return !key.ok() && key.error().code == ErrorCode::kBadInput &&
           key.error().message.find(path) != std::string::npos &&
           (text.size() < 4 || key.error().message.find(text) == std::string::npos);
  };
  EXPECT_TRUE(refused(""));
  EXPECT_TRUE(refused("garbage"));
  EXPECT_TRUE(refused(TlsKey::Generate().PublicPem()));
  EXPECT_FALSE(TlsKey::LoadPemFile(folder).ok());
  EXPECT_FALSE(TlsKey::LoadPemFile("/dev/zero").ok());
  EXPECT_FALSE(TlsKey::LoadPemFile(folder + "/nothing").ok());
}

}  // namespace
}  // namespace synod
