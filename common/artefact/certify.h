// Writes the certificate of a run from its plan and from what happened.
#pragma once

#include <string>

#include "common/artefact/certificate.h"
#include "common/artefact/certificate_sentences.h"

namespace synod {

struct CertificateRequest {
  CertificateClass kind = CertificateClass::kSimulation;
  RunId run;
  Participation participation;
  Digest content_digest{};  // ContentDigest of the generator file
  std::string software_version;
  std::int64_t created_unix = 0;
  FloatError float_error = FloatError::kMeasured;
};

// Fails where the participation breaks the plan, a federated certificate is asked for a curator's plan or for a run of
// which no sum was completed, or the plan's
// epsilon is above its target.
Result<Certificate> Certify(const Plan& plan, CertificateRequest request);

// What a certificate must say because its plan says it: every field but class, run, readings, participation, digest,
// version, time and sentences. `used` comes from the participation.
Certificate FactsOfPlan(const Plan& plan, Participation participation);

}  // namespace synod
