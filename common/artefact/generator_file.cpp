#include "common/artefact/generator_file.h"

#include <algorithm>

#include "common/artefact/file_sections.h"
#include "common/core/file.h"
#include "common/crypto/sha256.h"

namespace synod {

Result<GeneratorFile> GeneratorFile::Parse(ByteView bytes) {
  SYNOD_ASSIGN_OR_RETURN(const FileSections sections, ReadFileSections(bytes));
  const std::string_view signature_text = AsText(sections.of(FileSection::kSignatures));
  SYNOD_ASSIGN_OR_RETURN(FileSignatures signatures, FileSignatures::FromCanonicalText(signature_text));
  const Digest file_digest = Sha256(sections.before_signatures);
  if (signatures.file_digest != file_digest) {
    return VerificationFailed("the generator file is damaged: its content does not match its digest",
                              "get the file again from where it was published");
  }
  const std::string_view certificate_text = AsText(sections.of(FileSection::kCertificate));
  SYNOD_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromCanonicalText(certificate_text));
  SYNOD_ASSIGN_OR_RETURN(GeneratorContent content, DecodeContent(sections));
  GeneratorFile file(std::move(content), std::move(certificate), std::move(signatures));
  file.content_digest_ = Sha256(sections.before_certificate);
  file.file_digest_ = file_digest;
  file.bytes_.assign(bytes.begin(), bytes.end());
  return file;
}

Result<GeneratorFile> GeneratorFile::Read(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kMaxGeneratorFileBytes));
  Result<GeneratorFile> file = Parse(AsBytes(bytes));
  if (!file.ok()) return file.error().Within(path);
  return file;
}

Status GeneratorFile::Write(const std::string& path) const {
  return WriteFileAtomically(path, bytes_);
}

Result<GeneratorDraft> GeneratorDraft::Create(const GeneratorContent& content, const Certificate& certificate) {
  SYNOD_ASSIGN_OR_RETURN(Bytes bytes, EncodeContent(content));
  SYNOD_ASSIGN_OR_RETURN(const std::string text, certificate.CanonicalText());
  AppendFileSection(FileSection::kCertificate, AsBytes(text), bytes);
  return FromBytes(bytes);  // what cannot be read back must not be signed
}

Result<GeneratorDraft> GeneratorDraft::FromBytes(ByteView bytes) {
  SYNOD_ASSIGN_OR_RETURN(const FileSections sections, ReadDraftSections(bytes));
  const std::string_view certificate_text = AsText(sections.of(FileSection::kCertificate));
  SYNOD_ASSIGN_OR_RETURN(Certificate certificate, Certificate::FromCanonicalText(certificate_text));
  if (Sha256(sections.before_certificate) != certificate.content_digest) {
    return BadInput("the certificate was made for another content");
  }
  SYNOD_ASSIGN_OR_RETURN(GeneratorContent content, DecodeContent(sections));
  GeneratorDraft draft(std::move(content), std::move(certificate));
  draft.bytes_.assign(bytes.begin(), bytes.end());
  draft.file_digest_ = Sha256(bytes);
  return draft;
}

Result<GeneratorFile> GeneratorDraft::Finish(const std::optional<Signature>& coordinator,
                                             std::vector<SiteSignature> sites,
                                             std::optional<FileConsortium> consortium) const {
  std::sort(sites.begin(), sites.end(), [](const SiteSignature& a, const SiteSignature& b) { return a.site < b.site; });
  const FileSignatures signatures{file_digest_, coordinator, std::move(sites), std::move(consortium)};
  SYNOD_ASSIGN_OR_RETURN(const std::string text, signatures.CanonicalText());
  if (text.size() > MaxSectionBytes(FileSection::kSignatures)) return BadInput("the signatures are too large");
  Bytes bytes = bytes_;
  AppendFileSection(FileSection::kSignatures, AsBytes(text), bytes);
  return GeneratorFile::Parse(bytes);
}

}  // namespace synod
