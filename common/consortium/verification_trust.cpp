#include <fmt/format.h>

#include <filesystem>

#include "common/consortium/folders.h"
#include "common/consortium/trust.h"
#include "common/consortium/verify_in_consortium.h"
#include "common/core/file.h"

namespace synod {
namespace {

namespace fs = std::filesystem;

// Where the root's certificate and the bundle lie in each kind of folder.
struct Places {
  std::string root;
  std::string bundle;
};

Result<Places> PlacesIn(const std::string& folder) {
  const auto in = [&](std::string_view below, std::string_view file) {
    return below.empty() ? PathIn(folder, file) : PathIn(PathIn(folder, below), file);
  };
  for (const Places& places : {Places{in("trust", kRootFile), in("trust", kBundleFile)},  // a kit
                               Places{in("root", kRootFile), in("", kBundleFile)},        // of a root
                               Places{in("", kRootFile), in("", kBundleFile)}}) {         // a trust folder
    if (Exists(places.root)) return places;
  }
  return BadInput(
      fmt::format("{} has no root's certificate: it is no kit that has joined, and no folder of a root", folder));
}

Result<X509Certificate> RootFrom(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(X509Certificate root, X509Certificate::FromFile(path));
  if (!root.facts().is_root) return BadInput(fmt::format("{} is the certificate of a member, not of a root", path));
  return root;
}

}  // namespace

Result<VerificationTrust> VerificationTrust::Load(const std::string& path) {
  VerificationTrust trust;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    SYNOD_ASSIGN_OR_RETURN(const Places places, PlacesIn(path));
    SYNOD_ASSIGN_OR_RETURN(trust.root, RootFrom(places.root));
    SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(places.bundle, TrustBundle::kMaxBytes));
    Result<TrustBundle> bundle = TrustBundle::FromJsonText(text);
    if (!bundle.ok()) return bundle.error().Within(places.bundle);
    trust.known = std::move(bundle).value();
    return trust;
  }
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, TrustedKeys::kMaxFileBytes));
  if (text.find("-----BEGIN") != std::string::npos) {
    SYNOD_ASSIGN_OR_RETURN(trust.root, RootFrom(path));
    return trust;
  }
  SYNOD_ASSIGN_OR_RETURN(trust.keys, TrustedKeys::FromFile(path));
  return trust;
}

}  // namespace synod
