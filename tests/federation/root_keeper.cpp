#include "tests/federation/root_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/core/clock.h"
#include "common/core/file.h"
#include "tests/federation/bad_peer.h"
#include "tests/support/shared_data.h"

namespace synod::testing {
namespace {

constexpr std::int64_t kDay = 86'400;

std::string RootFile(const std::string& consortium, const char* name) {
  return (std::filesystem::path(consortium) / "root" / name).string();
}

}  // namespace

RootKeeper::RootKeeper(const Federation& federation)
    : consortium_(federation.kits().consortium),
      root_key_(*TlsKey::LoadPemFile(RootFile(consortium_, "root.key"))),
      root_(*X509Certificate::FromFile(RootFile(consortium_, "ca.pem"))),
      folder_(TemporaryFolder()),
      now_(SystemClock().UnixSeconds()) {}

TlsFiles RootKeeper::ForKey(const std::string& kit, const Identity& identity, std::int64_t begin_days,
                            std::int64_t end_days) {
  TlsFiles files = FilesOf(kit);
  const TlsKey key = *TlsKey::LoadPemFile(files.key_file);
  files.certificate_file = NewFile(Certificate(key, identity, begin_days, end_days));
  return files;
}

TlsFiles RootKeeper::ForNewKey(const Identity& identity) {
  const TlsKey key = TlsKey::Generate();
  return {RootFile(consortium_, "ca.pem"), NewFile(Certificate(key, identity, 0, 30)), NewKeyFile(key)};
}

TlsFiles RootKeeper::SelfMade(const std::string& consortium) {
  const TlsKey key = TlsKey::Generate();
  const X509Certificate root = *MakeRoot(key, consortium, now_, now_ + kDay);
  return {RootFile(consortium_, "ca.pem"), NewFile(root), NewKeyFile(key)};
}

std::string RootKeeper::Renew(const std::string& kit) {
  const TlsFiles files = FilesOf(kit);
  const X509Certificate old = *X509Certificate::FromFile(files.certificate_file);
  const X509Certificate renewed = Certificate(*TlsKey::LoadPemFile(files.key_file), old.facts().identity, 0, 60);
  EXPECT_TRUE(WriteFileAtomically(files.certificate_file, AsBytes(renewed.ToPem())).ok());
  return renewed.facts().serial_hex;
}

X509Certificate RootKeeper::Certificate(const TlsKey& key, const Identity& identity, std::int64_t begin_days,
                                        std::int64_t end_days) const {
  return *Issue(root_key_, root_, MakeRequest(key, identity), identity, now_ + begin_days * kDay,
                now_ + end_days * kDay);
}

std::string RootKeeper::NewKeyFile(const TlsKey& key) {
  const std::string path = folder_ + "/" + std::to_string(next_++) + ".key";
  EXPECT_TRUE(key.WritePemFile(path).ok());
  return path;
}

std::string RootKeeper::NewFile(const X509Certificate& certificate) {
  const std::string path = folder_ + "/" + std::to_string(next_++) + ".crt";
  EXPECT_TRUE(WriteFileAtomically(path, AsBytes(certificate.ToPem())).ok());
  return path;
}

}  // namespace synod::testing
