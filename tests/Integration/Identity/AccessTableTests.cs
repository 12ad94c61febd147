using System.Net;
using System.Net.Http.Headers;
using System.Reflection;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Servers;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Identity;

/// <summary>
/// contracts/access.csv says of every route who may use it, and services that run do as it says (T40). LP_GOLDEN=write
/// rewrites it.
/// </summary>
public sealed class AccessTableTests
{
    private const string Unscoped = "nothing:read";

    /// <summary>Has the form of a key, and nobody ever had it.</summary>
    private static readonly string Stranger = $"lp_test_{Base32.Format(Guid.CreateVersion7())}{new string('s', 32)}";

    [Fact]
    public async Task T40_every_route_has_its_row()
    {
        var table = AccessTable.Write();
        var file = Path.Combine(ApiContract.Root(), "contracts", "access.csv");
        if (Environment.GetEnvironmentVariable("LP_GOLDEN") == "write")
        {
            await File.WriteAllTextAsync(file, table);
        }

        Assert.True(
            File.Exists(file) && await File.ReadAllTextAsync(file) == table,
            "contracts/access.csv is not what the services say; ./localplus golden rewrites it."
        );
    }

    [Theory]
    [InlineData("analytics", "LocalPlus.Analytics")]
    [InlineData("giftcard", "LocalPlus.Giftcard")]
    [InlineData("ledger", "LocalPlus.Ledger")]
    [InlineData("merchant", "LocalPlus.Merchant")]
    [InlineData("notification", "LocalPlus.Notification")]
    [InlineData("wallet", "LocalPlus.Wallet")]
    public async Task T40_who_may_not_come_is_refused_at_every_route_as_its_row_says(string service, string assembly)
    {
        var code = Assembly.Load(assembly);
        using var operators = new OperatorTokens();
        await using var database = await TestDatabase.CreateAsync(service, code);
        await using var sidecar = await StubSidecar.StartAsync();
        await using var running = await RunningService.StartAsync(
            code.Location,
            database,
            sidecar.Port,
            FreePort.Next(),
            ("LP_JWKS", operators.JwksPath),
            ("LP_API_URL", "http://localhost"),
            ("LP_PUBLIC_URL", "http://localhost"),
            ("Secrets__code_pepper", new string('p', 44)),
            ("Secrets__key_pepper", new string('p', 44)),
            ("Secrets__pii_key", new string('k', 44))
        );
        var key =
            service == "merchant"
                ? await OwnKeyAsync(running, operators)
                : sidecar.IssueKey(MerchantId.New(TimeProvider.System), Unscoped);
        using var stranger = Bare(running.AppPort);

        var wrong = new List<string>();
        foreach (var route in AccessTable.Routes(service))
        {
            foreach (var (who, bearer, status) in Refused(route, key, operators))
            {
                var got = await AskAsync(running.Public, route, bearer);
                if (got != status)
                {
                    wrong.Add($"{route.Verb} {route.Path} of {who}: {(int)got} for {(int)status}");
                }
            }

            if (
                route.Kind == "inside"
                && await AskAsync(stranger, route, bearer: null) is var told
                && told != HttpStatusCode.Unauthorized
            )
            {
                wrong.Add($"{route.Verb} {route.Path} without the sidecar's token: {(int)told}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    /// <summary>Everybody who may not come, and what they are told.</summary>
    private static IEnumerable<(string Who, string? Bearer, HttpStatusCode Status)> Refused(
        AccessTable.Route route,
        string key,
        OperatorTokens operators
    )
    {
        if (route.Kind == "inside")
        {
            yield return ("anonymous", null, HttpStatusCode.NotFound);
            yield return ("admin", operators.Mint("admin"), HttpStatusCode.NotFound);
            yield return ("key", key, HttpStatusCode.NotFound);
            yield break;
        }

        yield return ("anonymous", null, HttpStatusCode.Unauthorized);
        yield return ("a key that is none", Stranger, HttpStatusCode.Unauthorized);
        yield return ("a token that is none", "eyJhbGciOiJub25lIn0.e30.", HttpStatusCode.Unauthorized);
        if (route.Kind == "merchant")
        {
            yield return ("a key without the scope", key, HttpStatusCode.Forbidden);
            yield return ("admin", operators.Mint("admin"), HttpStatusCode.Unauthorized);
            yield break;
        }

        yield return ("a key", key, HttpStatusCode.Unauthorized);
        yield return ("somebody of a team", operators.Mint("person"), HttpStatusCode.Forbidden);
        string[] roles = ["viewer", "operator", "admin"];
        foreach (var role in roles.Take(Array.IndexOf(roles, route.Needs[0])))
        {
            yield return (role, operators.Mint(role), HttpStatusCode.Forbidden);
        }

        if (route.StepUp)
        {
            var hourAgo = TimeProvider.System.GetUtcNow().AddHours(-1);
            yield return ("admin of an hour ago", operators.Mint("admin", at: hourAgo), HttpStatusCode.Unauthorized);
        }
    }

    private static async Task<HttpStatusCode> AskAsync(HttpClient client, AccessTable.Route route, string? bearer)
    {
        using var request = new HttpRequestMessage(new HttpMethod(route.Verb), route.Example)
        {
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }

        using var answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>The sidecar's port, for somebody without its token.</summary>
    private static HttpClient Bare(int port) =>
        new()
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}"),
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

    /// <summary>Merchant asks its own table: a key that may read reports, of which it has none.</summary>
    private static async Task<string> OwnKeyAsync(RunningService merchant, OperatorTokens operators)
    {
        var onboarded = await merchant.CallAsync(
            HttpMethod.Post,
            "/v1/merchants",
            operators.Mint("admin"),
            new
            {
                name = "Le Fournil",
                country = "FR",
                currency = "EUR",
                contact_email = "hello@fournil.test",
            },
            201
        );
        var first = onboarded.GetProperty("api_key").GetProperty("key").GetString();
        JsonElement made = await merchant.CallAsync(
            HttpMethod.Post,
            "/v1/api_keys",
            first,
            new { name = "Reports", scopes = new[] { "reports:read" } },
            201
        );
        return made.GetProperty("key").GetString()!;
    }
}
