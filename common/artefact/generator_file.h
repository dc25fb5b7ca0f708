// The published generator: content, certificate, signatures, as one file.
//
// Making one: content -> ContentDigest -> Certify -> GeneratorDraft -> its digest goes to the sites, which sign it ->
// GeneratorDraft::Finish. A GeneratorFile that exists is consistent in form: its digests are those of its bytes. What
// its certificate claims is checked by Verify (verify.h), with keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/artefact/certificate.h"
#include "common/artefact/generator_content.h"
#include "common/artefact/signatures.h"
#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

class GeneratorFile {
 public:
  // Bounded; every length is checked before it is used. Fails on damage anywhere: the digest of the whole is inside.
  static Result<GeneratorFile> Parse(ByteView bytes);
  static Result<GeneratorFile> Read(const std::string& path);

  // Whole or not at all; a full disk is an error.
  Status Write(const std::string& path) const;
  const Bytes& bytes() const { return bytes_; }

  const GeneratorContent& content() const { return content_; }
  const Certificate& certificate() const { return certificate_; }
  const FileSignatures& signatures() const { return signatures_; }
  // SHA-256 of the bytes before the certificate, and of those before the signatures.
  const Digest& content_digest() const { return content_digest_; }
  const Digest& file_digest() const { return file_digest_; }

 private:
  friend class GeneratorDraft;
  GeneratorFile(GeneratorContent content, Certificate certificate, FileSignatures signatures)
      : content_(std::move(content)), certificate_(std::move(certificate)), signatures_(std::move(signatures)) {}

  GeneratorContent content_;
  Certificate certificate_;
  FileSignatures signatures_;
  Digest content_digest_{};
  Digest file_digest_{};
  Bytes bytes_;
};

// A file that waits for its signatures.
class GeneratorDraft {
 public:
  // Fails where the certificate names another content, or either breaks a limit.
  static Result<GeneratorDraft> Create(const GeneratorContent& content, const Certificate& certificate);
  // From bytes(), by whoever is asked to sign them: parsed and checked in form, as a file is. What the certificate
  // claims is for VerifyClaims (verify_claims.h).
  static Result<GeneratorDraft> FromBytes(ByteView bytes);

  const GeneratorContent& content() const { return content_; }
  const Certificate& certificate() const { return certificate_; }
  const Digest& file_digest() const { return file_digest_; }  // what everybody signs
  // The bytes that the digest covers.
  const Bytes& bytes() const { return bytes_; }

  // `coordinator` is nothing in a simulation, and so is `consortium`. Sites in any order.
  Result<GeneratorFile> Finish(const std::optional<Signature>& coordinator, std::vector<SiteSignature> sites,
                               std::optional<FileConsortium> consortium = std::nullopt) const;

 private:
  GeneratorDraft(GeneratorContent content, Certificate certificate)
      : content_(std::move(content)), certificate_(std::move(certificate)) {}

  GeneratorContent content_;
  Certificate certificate_;
  Bytes bytes_;
  Digest file_digest_{};
};

}  // namespace synod
