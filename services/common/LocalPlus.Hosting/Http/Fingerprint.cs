using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;

namespace LocalPlus.Hosting;

/// <summary>
/// What was asked under an Idempotency-Key. Only <see cref="Bytes"/> are ever stored: bodies hold PINs, names and
/// addresses, and whoever has the table without the key can not try any of them against it.
/// </summary>
public sealed class Fingerprint
{
    private readonly FingerprintKeys keys;
    private readonly byte[] digest;

    internal Fingerprint(FingerprintKeys keys, byte[] digest) => (this.keys, this.digest) = (keys, digest);

    /// <summary>32 bytes to store: the version of the key, then HMAC-SHA256 under it, less its last byte.</summary>
    public byte[] Bytes => keys.Seal(digest, keys.Newest);

    /// <summary>
    /// Whether a stored fingerprint is of the same request, also one that was made with a key that was replaced
    /// since.
    /// </summary>
    public bool Matches(ReadOnlySpan<byte> stored) =>
        stored.Length == FingerprintKeys.Length
        && keys.Knows(stored[0])
        && CryptographicOperations.FixedTimeEquals(keys.Seal(digest, stored[0]), stored);

    /// <summary>Refuses a key that came with another request before: idempotency_key_reused.</summary>
    public void RequireSame(ReadOnlySpan<byte> stored)
    {
        if (!Matches(stored))
        {
            throw new FaultException(
                CommonFaults.IdempotencyKeyReused,
                "This Idempotency-Key came with another request before."
            );
        }
    }
}

/// <summary>
/// The keys of fingerprints, from the secret fingerprint_keys: <c>version:text</c> with a version of 1 to 255 and at
/// least 32 characters of text, several separated by commas. The first one makes new fingerprints; the others are
/// there for as long as answers are kept. Keys that are changed in the store are taken while the service runs. A
/// request is fingerprinted in its canonical form (RFC 8785), so that neither white space nor the order of members
/// counts, in metadata as little as anywhere.
/// </summary>
public sealed class FingerprintKeys
{
    public const string SecretName = "fingerprint_keys";
    public const int MinLength = 32;
    internal const int Length = 32;
    private volatile KeySet keys;

    public FingerprintKeys(IConfiguration configuration)
    {
        keys = Read(configuration.Secret(SecretName));
        ChangeToken.OnChange(configuration.GetReloadToken, () => keys = Read(configuration.Secret(SecretName)));
    }

    internal byte Newest => keys.Newest;

    private static KeySet Read(string secret)
    {
        Dictionary<byte, byte[]> known = [];
        byte newest = 0;
        foreach (var entry in secret.Split(',', StringSplitOptions.TrimEntries))
        {
            var at = entry.IndexOf(':', StringComparison.Ordinal);
            if (
                at < 1
                || !byte.TryParse(entry.AsSpan(0, at), out var version)
                || version == 0
                || entry.Length - at <= MinLength
                || !known.TryAdd(version, Encoding.UTF8.GetBytes(entry[(at + 1)..]))
            )
            {
                throw new InvalidOperationException(
                    $"The secret {SecretName} reads version:key: 1 to 255, and {MinLength} characters or more."
                );
            }

            newest = newest == 0 ? version : newest;
        }

        return new KeySet(known, newest);
    }

    /// <summary>Of a REST request: its method, its path and the body as it was understood.</summary>
    public Fingerprint Of<TRequest>(HttpContext http, TRequest request)
    {
        var canonical = new ArrayBufferWriter<byte>();
        new CanonicalJson(canonical).Value(JsonSerializer.SerializeToElement(request, StrictJson.Options));
        return Of($"{http.Request.Method} {http.Request.Path}", canonical.WrittenSpan);
    }

    /// <summary>
    /// Of a request through another door: the operation's name and what it is asked with, written in one way only.
    /// </summary>
    public Fingerprint Of(string operation, ReadOnlySpan<byte> request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var name = Encoding.UTF8.GetBytes(operation);
        Span<byte> length = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(length, name.Length);
        hash.AppendData(length);
        hash.AppendData(name);
        hash.AppendData(request);
        return new Fingerprint(this, hash.GetHashAndReset());
    }

    /// <summary>A key for another purpose, made of the one of that version.</summary>
    internal byte[] Derive(byte version, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, keys.Of(version), Length, info: Encoding.UTF8.GetBytes(purpose));

    internal bool Knows(byte version) => keys.Knows(version);

    internal byte[] Seal(byte[] digest, byte version) =>
        [version, .. HMACSHA256.HashData(keys.Of(version), digest).AsSpan(0, Length - 1)];

    private sealed record KeySet(Dictionary<byte, byte[]> Known, byte Newest)
    {
        public byte[] Of(byte version) => Known[version];

        public bool Knows(byte version) => Known.ContainsKey(version);
    }
}

/// <summary>What a key was answered with before, as it is stored everywhere.</summary>
public sealed record StoredAnswer(byte[] Fingerprint, int Status, string? Location, string? Etag, byte[] Body)
{
    /// <summary>The same answer again; idempotency_key_reused when it answered something else.</summary>
    public Answer Replay(Fingerprint asked)
    {
        asked.RequireSame(Fingerprint);
        return new Answer(Status, Body, Location, Etag) { Replayed = true };
    }
}
