// What sites and coordinator say to each other in one attempt, as plain structs (Protobuf forms: codec.h). Every
// message names its attempt, so that one that comes late is dropped instead of blamed. Who a site's message is from is
// known to the link (the certificate), not stated in it; lists of the coordinator name sites by their place in the
// roster, strictly ascending.
//
//   1  Advertisement    ->   keys for shares and masks, a statement, signed
//      <-  AdvertisementList
//   2  ShareBundle      ->   shares of the self mask and of the mask key, sealed for each peer, signed
//      <-  ShareList         (and UploadGrant: now, or when there is room)
//   3  MaskedChunk ..   ->   the masked vector
//      UploadEnd        ->   its tag, signed
//      <-  SurvivorList
//   4  ConsistencySignature ->
//      <-  SignatureList
//   5  Unmasking        ->   shares: of the self masks of survivors, of the mask keys of the others
//
// and at any time  <- AttemptClosed.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/strong_id.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/poly1305.h"
#include "common/crypto/x25519.h"
#include "secure_agg/attempt_setup.h"

namespace synod::secure_agg {

inline constexpr std::size_t kMaxStatementBytes = 8u << 10;
inline constexpr std::size_t kChunkBytes = 1u << 20;
inline constexpr std::size_t kShareBytes = 40;  // five limbs of 61 bits, little-endian words
inline constexpr std::size_t kSealedBytes = 2 * kShareBytes + 16;

using ShareKey = AgreementKey::Public;
using MaskKey = AgreementKey::Public;
using SealedShares = std::array<std::uint8_t, kSealedBytes>;
using ShareWire = std::array<std::uint8_t, kShareBytes>;  // a share that is revealed

// ---- site to coordinator ----

struct Advertisement {
  ShareKey share_key{};
  MaskKey mask_key{};
  Bytes statement;  // of the caller's, at most kMaxStatementBytes; peers see it
  Signature signature{};
  bool operator==(const Advertisement&) const = default;
};

// The shares for one peer, and the hashes that hold dealer and holder to them.
struct DealtShares {
  SiteIndex recipient = 0;
  SealedShares sealed{};
  Digest self_share_hash{};
  Digest mask_share_hash{};
  bool operator==(const DealtShares&) const = default;
};

struct ShareBundle {
  Digest self_commitment{};         // of the secret that the self mask comes from
  std::vector<DealtShares> shares;  // one for every site of the advertisement list, this one included
  Signature signature{};
  bool operator==(const ShareBundle&) const = default;
};

// After the last chunk. The one-time key is disclosed only here, when all words have been sent.
struct UploadEnd {
  Poly1305::Key tag_key{};
  Poly1305::Tag tag{};                // of all words
  std::vector<SiteIndex> complaints;  // peers whose shares for this site are unusable; ascending
  Signature signature{};
  bool operator==(const UploadEnd&) const = default;
};

struct ConsistencySignature {
  Signature signature{};
  bool operator==(const ConsistencySignature&) const = default;
};

enum class SecretKind : std::uint8_t { kSelfMask = 1, kMaskKey = 2 };

struct RevealedShare {
  SiteIndex about = 0;
  SecretKind kind = SecretKind::kSelfMask;
  ShareWire share{};
  bool operator==(const RevealedShare&) const = default;
};

struct Unmasking {
  // Ascending by `about`, each site at most once: never both of its secrets. Held to by the hashes that its dealer
  // signed, so that it needs no signature of its own.
  std::vector<RevealedShare> shares;
  bool operator==(const Unmasking&) const = default;
};

// ---- coordinator to site ----

struct ListedAdvertisement {
  SiteIndex site = 0;
  Advertisement advertisement;
  bool operator==(const ListedAdvertisement&) const = default;
};
struct AdvertisementList {
  std::vector<ListedAdvertisement> entries;  // U1
  bool operator==(const AdvertisementList&) const = default;
};

struct ListedShares {
  SiteIndex dealer = 0;
  SealedShares sealed{};
  Digest self_share_hash{};
  Digest mask_share_hash{};
  bool operator==(const ListedShares&) const = default;
};
struct ShareList {
  std::vector<ListedShares> entries;  // U2, the receiver included
  bool operator==(const ShareList&) const = default;
};

// There is room for the upload; chunks before this one are there already. Also the answer to a site that came back.
struct UploadGrant {
  std::uint32_t next_chunk = 0;
  bool operator==(const UploadGrant&) const = default;
};

struct SurvivorList {
  std::vector<SiteIndex> survivors;  // U3
  bool operator==(const SurvivorList&) const = default;
};

struct ListedSignature {
  SiteIndex site = 0;
  Signature signature{};
  bool operator==(const ListedSignature&) const = default;
};
struct SignatureList {
  std::vector<ListedSignature> entries;
  bool operator==(const SignatureList&) const = default;
};

// Nothing more will come: the attempt ended, or goes on without this site.
struct AttemptClosed {
  bool operator==(const AttemptClosed&) const = default;
};

// The order is the numbering on the wire; it never changes.
using SiteBody = std::variant<Advertisement, ShareBundle, UploadEnd, ConsistencySignature, Unmasking>;
using CoordinatorBody =
    std::variant<AdvertisementList, ShareList, UploadGrant, SurvivorList, SignatureList, AttemptClosed>;

struct SiteMessage {
  QueryName name;
  SiteBody body;
  bool operator==(const SiteMessage&) const = default;
};
struct CoordinatorMessage {
  QueryName name;
  CoordinatorBody body;
  bool operator==(const CoordinatorMessage&) const = default;
};

// A piece of the masked vector: raw little-endian words, all pieces but the last kChunkBytes long. Not a Protobuf
// message: index and name travel in whatever header the transport has. A view: valid as long as the MaskedVector is.
struct MaskedChunk {
  QueryName name;
  std::uint32_t index = 0;
  ByteView words;
};

std::string_view BodyName(const SiteBody& body);
std::string_view BodyName(const CoordinatorBody& body);

}  // namespace synod::secure_agg
