// A federation of four sites that has finished a small run, with all its keys: what the tests publish and attack.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/artefact/certify.h"
#include "common/artefact/generator_file.h"
#include "common/artefact/trusted_keys.h"
#include "common/privacy/plan_resolve.h"

namespace synod::testing {

class SmallFederation {
 public:
  explicit SmallFederation(Aggregation aggregation = Aggregation::kSecure);

  GeneratorContent content() const { return *content_; }
  // The content that a change of the request makes: another plan for the same federation and keys.
  GeneratorContent altered(const std::function<void(PlanRequest&)>& change) const;
  const Plan& plan() const { return content_->plan; }
  const TrustedKeys& trusted() const { return trusted_; }
  const SigningKey& coordinator() const { return coordinator_; }
  const SigningKey& site(std::size_t index) const { return sites_[index]; }

  // What a run of the plan could look like: site-d drops out of one answer and of one attempt, one attempt is retried.
  Participation run() const;
  // One for the content and the run; the expensive epsilons are computed once.
  Certificate certificate(CertificateClass kind = CertificateClass::kFederated) const;
  // What an honest tool would certify for another content.
  Certificate CertificateOf(const GeneratorContent& content,
                            CertificateClass kind = CertificateClass::kFederated) const;
  // What site `index` would sign about `file_digest`.
  SiteStatement statement(std::uint32_t index, const Digest& file_digest) const;

  // A file in which everybody who should has signed this certificate.
  Result<GeneratorFile> Sign(const Certificate& certificate) const;
  // The same without the signatures of some sites.
  Result<GeneratorFile> SignWithout(const Certificate& certificate, const std::vector<std::string>& missing) const;

 private:
  SigningKey coordinator_ = SigningKey::Generate();
  std::vector<SigningKey> sites_;
  TrustedKeys trusted_;
  PlanRequest request_;
  std::optional<GeneratorContent> content_;
};

}  // namespace synod::testing
