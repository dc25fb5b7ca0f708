#include "common/privacy/ledger_head.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "common/core/check.h"
#include "common/core/identity.h"

namespace synod {
namespace {

constexpr std::string_view kLabel = "synod.ledger_head";
constexpr std::uint8_t kVersion = 1;
constexpr double kMaxOrder = 1e6;

void Put(ByteView bytes, Bytes& out) {
  for (const std::uint8_t byte : bytes) out.push_back(byte);
}

void PutText(std::string_view text, Bytes& out) {
  SYNOD_CHECK(text.size() <= 255, "a name has at most 255 bytes");
  out.push_back(static_cast<std::uint8_t>(text.size()));
  Put(AsBytes(text), out);
}

void PutWord(std::uint64_t word, Bytes& out) {
  for (unsigned shift = 0; shift < 64; shift += 8) out.push_back(static_cast<std::uint8_t>(word >> shift));
}

Bytes EncodeUnsigned(const LedgerHead& head) {
  Bytes out;
  out.reserve(SignedHead::kMaxBytes);
  out.push_back(kVersion);
  PutText(head.site, out);
  Put(head.ledger.bytes, out);
  PutWord(head.rows, out);
  Put(head.digest, out);
  PutWord(static_cast<std::uint64_t>(head.signed_unix), out);
  out.push_back(static_cast<std::uint8_t>(head.held.size()));
  for (const HeldAccount& account : head.held) {
    Put(account.dataset.bytes, out);
    PutWord(std::bit_cast<std::uint64_t>(account.order), out);
    PutWord(std::bit_cast<std::uint64_t>(account.rdp), out);
    PutWord(account.answers, out);
  }
  return out;
}

Bytes Statement(std::string_view consortium, const LedgerHead& head) {
  Bytes statement;
  statement.reserve(256 + SignedHead::kMaxBytes);
  PutText(consortium, statement);
  Put(EncodeUnsigned(head), statement);
  return statement;
}

// Takes from the front; once something is missing, everything reads as zero and `good` says so.
class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  ByteView Take(std::size_t size) {
    if (size > rest_.size()) {
      good_ = false;
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint8_t Byte() {
    const ByteView byte = Take(1);
    return byte.empty() ? std::uint8_t{0} : byte[0];
  }
  std::uint64_t Word() {
    std::uint64_t word = 0;
    unsigned shift = 0;
    for (const std::uint8_t byte : Take(8)) {
      word |= std::uint64_t{byte} << shift;
      shift += 8;
    }
    return word;
  }
  template <typename Array>
  void Fill(Array& array) {
    const ByteView bytes = Take(array.size());
    std::copy(bytes.begin(), bytes.end(), array.begin());
  }
  bool Finished() const { return good_ && rest_.empty(); }

 private:
  ByteView rest_;
  bool good_ = true;
};

bool IsProper(const HeldAccount& account) {
  return account.order > 1.0 && account.order <= kMaxOrder && std::isfinite(account.rdp) && account.rdp >= 0.0 &&
         !std::signbit(account.rdp);
}

}  // namespace

SignedHead SignHead(const SigningKey& key, std::string_view consortium, LedgerHead head) {
  SignedHead out{std::move(head), {}};
  out.signature = key.Sign(kLabel, Statement(consortium, out.head));
  return out;
}

bool VerifyHead(const PublicKey& key, std::string_view consortium, const SignedHead& head) {
  return key.Verify(kLabel, Statement(consortium, head.head), head.signature);
}

Bytes EncodeHead(const SignedHead& head) {
  Bytes out = EncodeUnsigned(head.head);
  Put(head.signature, out);
  SYNOD_CHECK(out.size() <= SignedHead::kMaxBytes, "a head has bounded parts");
  return out;
}

Result<SignedHead> DecodeHead(ByteView bytes) {
  if (bytes.size() > SignedHead::kMaxBytes) return BadInput("a ledger head is too long");
  Reader reader(bytes);
  const std::uint8_t version = reader.Byte();
  SignedHead out;
  LedgerHead& head = out.head;
  head.site = std::string(AsText(reader.Take(reader.Byte())));
  reader.Fill(head.ledger.bytes);
  head.rows = reader.Word();
  reader.Fill(head.digest);
  head.signed_unix = static_cast<std::int64_t>(reader.Word());
  const std::uint8_t accounts = reader.Byte();
  if (accounts > LedgerHead::kMaxAccounts) return BadInput("a ledger head names too many accounts");
  head.held.resize(accounts);
  for (HeldAccount& account : head.held) {
    reader.Fill(account.dataset.bytes);
    account.order = std::bit_cast<double>(reader.Word());
    account.rdp = std::bit_cast<double>(reader.Word());
    account.answers = reader.Word();
  }
  reader.Fill(out.signature);
  if (!reader.Finished()) return BadInput("a ledger head has another length than its parts");
  if (version != kVersion) return BadInput("a ledger head of another version");
  if (!CheckName(head.site).ok()) return BadInput("a ledger head names no site");
  const bool ascending = std::adjacent_find(head.held.begin(), head.held.end(), [](const auto& a, const auto& b) {
                           return a.dataset >= b.dataset;
                         }) == head.held.end();
  if (!ascending || !std::all_of(head.held.begin(), head.held.end(), IsProper)) {
    return BadInput("a ledger head holds accounts that do not follow the rules");
  }
  return out;
}

HeldAccount Worse(const HeldAccount& a, const HeldAccount& b) {
  return {a.dataset, std::min(a.order, b.order), std::max(a.rdp, b.rdp), std::max(a.answers, b.answers)};
}

std::vector<HeldAccount> HeldForHead(std::vector<HeldAccount> accounts) {
  std::erase_if(accounts, [](const HeldAccount& account) { return account.rdp == 0.0 && account.answers == 0; });
  std::sort(accounts.begin(), accounts.end(), [](const HeldAccount& a, const HeldAccount& b) {
    return a.rdp != b.rdp ? a.rdp > b.rdp : a.dataset < b.dataset;
  });
  if (accounts.size() > LedgerHead::kMaxAccounts) {
    HeldAccount others = accounts[LedgerHead::kMaxAccounts - 1];
    for (std::size_t i = LedgerHead::kMaxAccounts; i < accounts.size(); ++i) others = Worse(others, accounts[i]);
    others.dataset = {};
    accounts.resize(LedgerHead::kMaxAccounts - 1);
    accounts.push_back(others);
  }
  std::sort(accounts.begin(), accounts.end(),
            [](const HeldAccount& a, const HeldAccount& b) { return a.dataset < b.dataset; });
  return accounts;
}

}  // namespace synod
