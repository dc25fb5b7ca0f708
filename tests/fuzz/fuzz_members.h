// A consortium of two for targets that need certificates: made once a process, in files that are removed at its end.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "common/core/file.h"
#include "common/crypto/x509.h"
#include "common/net/tls_context.h"

namespace synod {

class FuzzMembers {
 public:
  static const FuzzMembers& Get() {
    static const FuzzMembers kMembers;
    return kMembers;
  }
  const TlsContext& client() const { return *client_; }
  const TlsContext& server() const { return *server_; }
  std::shared_ptr<const TlsContext> shared_client() const { return client_; }
  std::shared_ptr<const TlsContext> shared_server() const { return server_; }

 private:
  FuzzMembers() {
    std::string name = (std::filesystem::temp_directory_path() / "synod-fuzz-XXXXXX").string();
    SYNOD_CHECK(mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    const std::string& folder = name;
    const TlsKey root_key = TlsKey::Generate();
    const X509Certificate root = *MakeRoot(root_key, "fuzz", 0, 4'000'000'000);
    Save(folder + "/ca.pem", root.ToPem());
    client_ = Load(root_key, root, folder, {"fuzz", Role::kSite, "site"}, TlsSide::kClient);
    server_ = Load(root_key, root, folder, {"fuzz", Role::kCoordinator, "coordinator"}, TlsSide::kServer);
    std::filesystem::remove_all(folder);
  }
  static void Save(const std::string& path, const std::string& text) {
    SYNOD_CHECK(WriteFileAtomically(path, AsBytes(text)).ok(), "a temporary file can be written");
  }
  static std::shared_ptr<const TlsContext> Load(const TlsKey& root_key, const X509Certificate& root,
                                                const std::string& folder, const Identity& identity, TlsSide side) {
    const TlsKey key = TlsKey::Generate();
    const TlsFiles files{folder + "/ca.pem", folder + "/" + identity.name + ".crt",
                         folder + "/" + identity.name + ".key"};
    SYNOD_CHECK(key.WritePemFile(files.key_file).ok(), "a temporary file can be written");
    Save(files.certificate_file,
         Issue(root_key, root, MakeRequest(key, identity), identity, 0, 4'000'000'000)->ToPem());
    return *TlsContext::Load(files, side);
  }

  std::shared_ptr<const TlsContext> client_;
  std::shared_ptr<const TlsContext> server_;
};

}  // namespace synod
