using System.Net;
using System.Security.Claims;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Merchant;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Tests.Integration.Identity;

/// <summary>
/// Operators behind a proxy that signs them in (Cloudflare Access): its token comes in a header of its own, in its own
/// form, and opens what the one in Authorization opens.
/// </summary>
public sealed class AccessTokenTests : IAsyncLifetime
{
    private const string Team = "https://localplus.cloudflareaccess.com";
    private const string Tag = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
    private const string Header = "Cf-Access-Jwt-Assertion";

    private readonly MerchantApi api = new()
    {
        Settings =
        [
            ("LP_OIDC_ISSUER", Team),
            ("LP_OIDC_AUDIENCE", Tag),
            (OperatorClaims.HeaderVariable, Header),
            (OperatorClaims.RolePathVariable, "custom.role"),
            (OperatorClaims.SignInVariable, "iat"),
            (OperatorClaims.RolesVariable, "vera@localplus.io=viewer, Olga@localplus.io=operator"),
        ],
    };

    public Task InitializeAsync() => api.InitializeAsync();

    public Task DisposeAsync() => api.DisposeAsync();

    [Fact]
    public async Task A_token_of_the_proxy_opens_what_its_role_may()
    {
        Assert.Equal(HttpStatusCode.OK, await GetAsync(Token(role: "viewer")));
        Assert.Equal(HttpStatusCode.Forbidden, await OnboardAsync(Token(role: "viewer")));
        Assert.Equal(HttpStatusCode.Created, await OnboardAsync(Token(role: "admin")));
        // Whose provider says no role, as GitHub, has the one that the settings give to the address.
        Assert.Equal(HttpStatusCode.OK, await GetAsync(Token(email: "vera@localplus.io")));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(Token(email: "olga@localplus.io")));
        // Signed in a moment ago, which a closed merchant wants.
        Assert.Equal(HttpStatusCode.NotFound, await CloseAsync(Token(role: "admin")));
    }

    [Fact]
    public async Task Nothing_else_of_the_proxy_does()
    {
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(Token()));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(Token(email: "stranger@localplus.io")));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(Token(email: "vera@localplus.io", isVerified: false)));
        // A role where it does not belong is none.
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(Token(at: "role")));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(Token(role: "admin", audience: "another")));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(Token(role: "admin", issuer: "https://another.test")));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync(Token(role: "admin")[..^3] + "AAA"));
        Assert.Equal(HttpStatusCode.Unauthorized, await GetAsync("no token"));
        var stale = Token(role: "admin", signedInAt: TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(6));
        Assert.Equal(HttpStatusCode.Unauthorized, await CloseAsync(stale));
    }

    [Fact]
    public async Task What_is_in_Authorization_counts_alone()
    {
        using var client = Client(Token(role: "admin"));
        client.DefaultRequestHeaders.Authorization = new("Bearer", "lp_test_wrong");

        using var answer = await client.GetAsync(new Uri("/ops/v1/merchants", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Theory]
    [InlineData("olga@localplus.io")]
    [InlineData("olga@localplus.io=root")]
    [InlineData("=admin")]
    public void A_role_that_is_none_stops_the_service(string roles)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [OperatorClaims.RolesVariable] = roles })
            .Build();

        var refusal = Assert.Throws<InvalidOperationException>(() => OperatorClaims.From(configuration));

        Assert.Contains(OperatorClaims.RolesVariable, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"role":"admin"}""", "admin")]
    [InlineData("""{"role":["viewer","operator"]}""", "viewer operator")]
    [InlineData("""{"role":7}""", "")]
    [InlineData("""["role"]""", "")]
    [InlineData("role", "")]
    public void A_role_lies_where_the_path_leads(string custom, string roles)
    {
        var claims = OperatorClaims.From(
            new ConfigurationBuilder()
                .AddInMemoryCollection(
                    new Dictionary<string, string?> { [OperatorClaims.RolePathVariable] = "custom.role" }
                )
                .Build()
        );
        var token = new ClaimsIdentity([new Claim("custom", custom)]);

        claims.Translate(token);

        Assert.Equal(roles, string.Join(' ', token.FindAll(OperatorClaims.Role).Select(claim => claim.Value)));
    }

    /// <summary>What the proxy says of somebody.</summary>
    private string Token(
        string? role = null,
        string? email = null,
        bool? isVerified = null,
        string at = "custom",
        string issuer = Team,
        string audience = Tag,
        DateTimeOffset? signedInAt = null
    )
    {
        var claims = new Dictionary<string, object>
        {
            ["sub"] = "7335d417-61da-459d-899c-0a01c76a2f94",
            ["type"] = "app",
            ["country"] = "FR",
            ["iat"] = (signedInAt ?? TimeProvider.System.GetUtcNow()).ToUnixTimeSeconds(),
        };
        if (at == "custom" && role is not null)
        {
            claims[at] = new Dictionary<string, object> { ["role"] = role };
        }
        else if (at != "custom")
        {
            claims[at] = "admin";
        }

        if (email is not null)
        {
            claims["email"] = email;
        }

        if (isVerified is not null)
        {
            claims["email_verified"] = isVerified;
        }

        return api.Token(issuer, audience, claims);
    }

    private async Task<HttpStatusCode> GetAsync(string token)
    {
        using var client = Client(token);
        using var answer = await client.GetAsync(new Uri("/ops/v1/merchants", UriKind.Relative));
        return answer.StatusCode;
    }

    private Task<HttpStatusCode> OnboardAsync(string token) =>
        PostAsync(
            token,
            "/v1/merchants",
            new
            {
                name = "Le Fournil",
                country = "FR",
                currency = "EUR",
                contact_email = "hello@fournil.test",
            }
        );

    private Task<HttpStatusCode> CloseAsync(string token) =>
        PostAsync(
            token,
            $"/ops/v1/merchants/{new MerchantId(Guid.CreateVersion7())}/close",
            new { reason = "it is over" }
        );

    private async Task<HttpStatusCode> PostAsync(string token, string path, object body)
    {
        using var client = Client(token);
        client.DefaultRequestHeaders.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        using var answer = await client.PostAsync(
            new Uri(path, UriKind.Relative),
            new StringContent(System.Text.Json.JsonSerializer.Serialize(body), null, "application/json")
        );
        return answer.StatusCode;
    }

    private HttpClient Client(string token)
    {
        var client = new HttpClient { BaseAddress = api.Service.Public.BaseAddress };
        client.DefaultRequestHeaders.TryAddWithoutValidation(Header, token);
        return client;
    }
}
