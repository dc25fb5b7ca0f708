#include "tests/honesty/forger.h"

#include <charconv>

#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/privacy/plan.h"

namespace synod::honesty {
namespace {

using Pointer = Json::json_pointer;

std::vector<std::pair<std::string, Json>> OtherValues(const Json& leaf) {
  if (leaf.is_boolean()) return {{"flipped", !leaf.get<bool>()}};
  if (leaf.is_number_integer()) {
    const auto value = leaf.get<std::int64_t>();
    std::vector<std::pair<std::string, Json>> others = {{"+1", static_cast<std::uint64_t>(value) + 1}};
    if (value > 0) others.emplace_back("-1", static_cast<std::uint64_t>(value) - 1);
    if (value > 1) others.emplace_back("0", std::uint64_t{0});
    return others;
  }
  if (leaf.is_number()) {
    const auto value = leaf.get<double>();
    return {{"*0.99", 0.99 * value}, {"*1.02", 1.02 * value}, {"-0.001", value - 0.001}, {"+0.001", value + 0.001}};
  }
  const auto text = leaf.get<std::string>();
  std::string turned = text;
  if (!turned.empty()) turned.front() = turned.front() == '0' ? '1' : '0';
  return {{"+x", text + "x"}, {"turned", turned}, {"emptied", std::string()}};
}

void Collect(const Json& whole, const Pointer& here, std::vector<Alteration>& found) {
  const Json& value = whole.at(here);
  const auto alter = [&](const std::string& what, const Json& other) {
    if (other == value) return;
    Json document = whole;
    document[here] = other;
    found.push_back({here.to_string() + " " + what, std::move(document)});
  };
  if (value.is_object()) {
    Json more = value;
    more["zzz"] = 1;
    alter("with a key more", more);
    for (const auto& item : value.items()) {
      Json fewer = value;
      fewer.erase(item.key());
      alter("without " + item.key(), fewer);
      Collect(whole, here / item.key(), found);
    }
  } else if (value.is_array()) {
    alter("emptied", Json::array());
    if (!value.empty()) {
      Json more = value;
      more.push_back(value.back());
      alter("with its last twice", more);
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      Json fewer = value;
      fewer.erase(i);
      alter("without one", fewer);
      Collect(whole, here / i, found);
    }
  } else {
    for (const auto& [what, other] : OtherValues(value)) alter(what, other);
  }
}

}  // namespace

std::vector<Alteration> AlterationsOf(const Json& document) {
  std::vector<Alteration> found;
  Collect(document, Pointer(), found);
  return found;
}

Forger::Forger(const GeneratorFile& published, Sign sign) : sign_(std::move(sign)) {
  const FileSections sections = ReadFileSections(published.bytes()).value();
  for (std::size_t i = 0; i < kFileSections; ++i) {
    const ByteView bytes = sections.bytes[i];
    if (static_cast<FileSection>(i) == FileSection::kParameters) {
      parameters_.assign(bytes.begin(), bytes.end());
      continue;
    }
    const std::string_view text = AsText(bytes);
    const std::size_t line = text.find('\n');
    documents_.at(i) = {std::string(text.substr(0, line)), ParseJson(text.substr(line + 1), text.size()).value()};
  }
  before_signatures_.assign(sections.before_signatures.begin(), sections.before_signatures.end());
}

std::optional<std::string> Forger::TextOf(const Labelled& document) {
  const std::size_t slash = document.label.find('/');
  std::uint32_t version = 0;
  std::from_chars(document.label.data() + slash + 1, document.label.data() + document.label.size(), version);
  Result<std::string> text = CanonicalJson(document.label.substr(0, slash), version, document.json);
  if (!text.ok()) return std::nullopt;
  return std::move(text).value();
}

// What a changed schema or model makes of the plan, and a changed plan of the certificate.
bool Forger::RepairPlan(Documents& documents, FileSection changed) {
  const auto at = [&](FileSection section) -> Labelled& { return documents.at(static_cast<std::size_t>(section)); };
  Json& plan = at(FileSection::kPlan).json;
  Json& certificate = at(FileSection::kCertificate).json;
  if (changed == FileSection::kSchema) {
    const std::optional<std::string> schema = TextOf(at(FileSection::kSchema));
    if (!schema) return false;
    plan["schema_hash"] = certificate["schema_hash"] = ToHex(Sha256(*schema));
  }
  if (changed == FileSection::kModel && at(FileSection::kModel).json.contains("options")) {
    const Result<Digest> options = HashModelOptions(at(FileSection::kModel).json["options"]);
    if (!options.ok()) return false;
    plan["model_hash"] = ToHex(*options);
  }
  const std::optional<std::string> text = TextOf(at(FileSection::kPlan));
  if (!text) return false;
  certificate["plan_hash"] = ToHex(Sha256(*text));
  return true;
}

std::optional<Bytes> Forger::Assemble(Documents documents, const Bytes& parameters, FileSection changed) const {
  if (changed != FileSection::kCertificate && !RepairPlan(documents, changed)) return std::nullopt;
  Bytes out;
  AppendFileHeader(out);
  for (std::size_t i = 0; i < kFileSections - 1; ++i) {
    const auto section = static_cast<FileSection>(i);
    if (section == FileSection::kParameters) {
      AppendFileSection(section, parameters, out);
      continue;
    }
    if (section == FileSection::kCertificate && changed != FileSection::kCertificate) {
      documents.at(i).json["content_digest"] = ToHex(Sha256(out));
    }
    const std::optional<std::string> text = TextOf(documents.at(i));
    if (!text) return std::nullopt;
    AppendFileSection(section, AsBytes(*text), out);
  }
  const Result<std::string> signatures = sign_(Sha256(out)).CanonicalText();
  if (!signatures.ok()) return std::nullopt;
  AppendFileSection(FileSection::kSignatures, AsBytes(*signatures), out);
  return out;
}

std::optional<Bytes> Forger::Forge(FileSection section, const Json& document) const {
  Documents documents = documents_;
  documents.at(static_cast<std::size_t>(section)).json = document;
  return Assemble(std::move(documents), parameters_, section);
}

std::optional<Bytes> Forger::ForgeParameters(Bytes parameters) const {
  return Assemble(documents_, parameters, FileSection::kParameters);
}

std::optional<Bytes> Forger::ReplaceSignatures(const Json& document) const {
  Labelled signatures = documents_.at(static_cast<std::size_t>(FileSection::kSignatures));
  signatures.json = document;
  const std::optional<std::string> text = TextOf(signatures);
  if (!text) return std::nullopt;
  Bytes out = before_signatures_;
  AppendFileSection(FileSection::kSignatures, AsBytes(*text), out);
  return out;
}

}  // namespace synod::honesty
