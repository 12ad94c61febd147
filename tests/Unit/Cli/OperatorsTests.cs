using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using LocalPlus.Cli;
using LocalPlus.Client;

namespace LocalPlus.Tests.Unit.Cli;

public sealed class OperatorsTests : IDisposable
{
    private readonly Checkout _checkout = new("/", Directory.CreateTempSubdirectory("localplus-keys-").FullName);

    public void Dispose() => Directory.Delete(_checkout.State, recursive: true);

    [Fact]
    public void A_token_is_signed_by_the_key_that_the_published_set_names()
    {
        Operators.EnsureKey(_checkout);
        var parts = Operators.Mint(_checkout, "operator", "ada").Split('.');
        var head = JsonNode.Parse(Base64Url.DecodeFromChars(parts[0]))!;
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        var key = JsonNode.Parse(File.ReadAllText(_checkout.Jwks))!["keys"]!
            .AsArray()
            .Single(k => (string?)k!["kid"] == (string?)head["kid"])!;

        using var ecdsa = ECDsa.Create(
            new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint
                {
                    X = Base64Url.DecodeFromChars((string)key["x"]!),
                    Y = Base64Url.DecodeFromChars((string)key["y"]!),
                },
            }
        );
        Assert.True(
            ecdsa.VerifyData(
                Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
                Base64Url.DecodeFromChars(parts[2]),
                HashAlgorithmName.SHA256
            )
        );
        Assert.Equal("operator", (string?)claims["role"]);
        Assert.Equal("ada", (string?)claims["sub"]);
        Assert.Equal(3600, (long)claims["exp"]! - (long)claims["iat"]!);
        Assert.DoesNotContain("\"d\"", File.ReadAllText(_checkout.Jwks), StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkout_without_a_key_says_how_to_get_one()
    {
        var failure = Assert.Throws<CliFailure>(() => Operators.Mint(_checkout, "viewer", "ada"));

        Assert.Equal((ExitCodes.NotFound, "./localplus up"), (failure.ExitCode, failure.Next));
    }
}
