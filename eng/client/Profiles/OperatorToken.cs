using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Client.Profiles;

/// <summary>
/// Tokens of an hour, made with the local stack's own key: whoever can read that file may be anybody there.
/// </summary>
internal static class OperatorToken
{
    public const string Issuer = "https://localplus.local/";
    public const string Audience = "localplus";
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(1);

    public static readonly string[] Roles = ["viewer", "operator", "admin"];

    public static string Mint(string keyFile, string role, string subject)
    {
        using var key = Load(keyFile);
        var now = DateTimeOffset.UtcNow;
        var head = new JsonObject
        {
            ["alg"] = "ES256",
            ["typ"] = "JWT",
            ["kid"] = KeyId(key),
        };
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["aud"] = Audience,
            ["sub"] = subject,
            ["role"] = role,
            ["roles"] = new JsonArray(role),
            // Whoever has this machine's key is in front of it.
            ["auth_time"] = now.ToUnixTimeSeconds(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.Add(Lifetime).ToUnixTimeSeconds(),
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        var signed = $"{Part(head)}.{Part(claims)}";
        var signature = key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256);
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>By which a key set names the key.</summary>
    public static string KeyId(ECDsa key) =>
        Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];

    public static ECDsa Load(string keyFile)
    {
        if (!File.Exists(keyFile))
        {
            throw new CliFailure(ExitCodes.NotFound, "this checkout has no operators' key yet", "./localplus up");
        }

        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(keyFile));
        return key;
    }

    /// <summary>
    /// What a token says about its bearer, to be shown; services check it, this does not. Null when it is no JWT.
    /// </summary>
    public static JsonObject? Claims(string token)
    {
        var parts = token.Split('.');
        return parts.Length == 3 && Base64Url.IsValid(parts[1])
            ? JsonNode.Parse(Base64Url.DecodeFromChars(parts[1])) as JsonObject
            : null;
    }

    private static string Part(JsonObject value) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes(value.ToJsonString()));
}
