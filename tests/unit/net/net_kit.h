// A consortium for tests of links: a root, members with files on disk, a clock that tests move.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <string>

#include "common/core/clock.h"
#include "common/core/file.h"
#include "common/crypto/x509.h"
#include "common/net/link_events.h"

namespace synod {

// Runs with the real time, plus what a test adds.
class TestClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return system_.UnixSeconds() + unix_offset; }
  double MonotonicSeconds() const override {
    return frozen_ ? stands_at_ : system_.MonotonicSeconds() + monotonic_offset;
  }
  // From now on no deadline comes, however long a busy machine takes.
  void Freeze() {
    stands_at_ = MonotonicSeconds();
    frozen_ = true;
  }
  std::atomic<std::int64_t> unix_offset = 0;
  std::atomic<double> monotonic_offset = 0.0;

 private:
  SystemClock system_;
  double stands_at_ = 0.0;
  bool frozen_ = false;
};

class NetKit {
 public:
  explicit NetKit(const std::string& consortium = "heart")
      : consortium_(consortium),
        folder_(std::filesystem::temp_directory_path() /
                ("synod-net-" + std::to_string(getpid()) + "-" + std::to_string(next_folder_++))),
        root_key_(TlsKey::Generate()),
        root_(Value(MakeRoot(root_key_, consortium, Now() - 1000, Now() + 100000))) {
    std::filesystem::create_directories(folder_);
    Write(Path("ca.pem"), root_.ToPem());
  }
  ~NetKit() { std::filesystem::remove_all(folder_); }
  NetKit(const NetKit&) = delete;
  NetKit& operator=(const NetKit&) = delete;

  // Makes a key and a certificate; files of the same name are used again.
  TlsFiles Member(Role role, const std::string& name) {
    const std::string base = Path(std::string(RoleName(role)) + "-" + name);
    TlsFiles files{Path("ca.pem"), base + ".crt", base + ".key"};
    if (std::filesystem::exists(files.key_file)) return files;
    const TlsKey key = TlsKey::Generate();
    EXPECT_TRUE(key.WritePemFile(files.key_file).ok());
    const Identity identity{consortium_, role, name};
    const std::string request = MakeRequest(key, identity);
    Write(files.certificate_file,
          Value(Issue(root_key_, root_, request, identity, Now() - 1000, Now() + 100000)).ToPem());
    return files;
  }
  TlsFiles Coordinator() { return Member(Role::kCoordinator, "coordinator"); }
  TlsFiles Site(const std::string& name) { return Member(Role::kSite, name); }

  const X509Certificate& root() const { return root_; }
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  static std::int64_t Now() { return SystemClock().UnixSeconds(); }
  template <typename T>
  static T Value(Result<T> result) {
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return std::move(*result);
  }
  static void Write(const std::string& path, const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(path, AsBytes(text)).ok());
  }

  static inline int next_folder_ = 0;
  std::string consortium_;
  std::filesystem::path folder_;
  TlsKey root_key_;
  X509Certificate root_;
};

}  // namespace synod
