using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Keys;

/// <summary>
/// The text of an API key: "lp_test_" or "lp_live_", the key's id as 26 base32 characters, then 32 base32 characters
/// (160 bits) of secret. The id in front makes the lookup one read by primary key; nothing else in the text is stored.
/// Not a record, so that no log and no debugger prints the secret by accident.
/// </summary>
internal sealed class KeyText
{
    private KeyText(string text, ApiKeyId id, bool live)
    {
        Text = text;
        Id = id;
        Live = live;
    }

    /// <summary>What the merchant is shown once.</summary>
    public string Text { get; }

    public ApiKeyId Id { get; }

    public bool Live { get; }

    /// <summary>A new key with a secret from the system's random numbers.</summary>
    public static KeyText New(ApiKeyId id, bool live)
    {
        var secret = string.Create(
            ApiKeyForm.SecretLength,
            RandomNumberGenerator.GetBytes(ApiKeyForm.SecretLength),
            static (span, random) =>
            {
                for (var i = 0; i < span.Length; i++)
                {
                    // 256 is a multiple of 32, so the five low bits are uniform.
                    span[i] = Base32.Character(random[i] & 31);
                }
            }
        );
        return new KeyText(
            $"{(live ? ApiKeyForm.LivePrefix : ApiKeyForm.TestPrefix)}{Base32.Format(id.Value)}{secret}",
            id,
            live
        );
    }

    /// <summary>Reads a presented key; false when it can not be one. Says nothing about whether it exists.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out KeyText? key)
    {
        key = ApiKeyForm.TryParse(text, out var id, out var live) ? new KeyText(text!, new ApiKeyId(id), live) : null;
        return key is not null;
    }

    public override string ToString() => Id.ToString();
}
