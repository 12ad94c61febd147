namespace LocalPlus.Gateway.Tests;

public sealed class RouteFileTests
{
    private const string Frame = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: { name: ledger }
        spec:
          parentRefs: [ { name: localplus-gateway } ]
          rules:
            - matches: [ MATCH ]
              timeouts: { request: 5s, backendRequest: 2s }
              backendRefs: [ BACKEND ]
        """;

    [Fact]
    public void The_charts_own_routes_are_understood_and_reach_every_service()
    {
        var routes = RouteFile.Read(
            File.ReadAllText(Path.Combine(Root(), "charts", "localplus", "files", "httproutes.yaml"))
        );

        var services = routes.Select(r => r.Backend).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(
            [
                "svc-analytics:8080",
                "svc-console:8080",
                "svc-giftcard:8080",
                "svc-ledger:8080",
                "svc-merchant:8080",
                "svc-notification:8080",
                "svc-wallet:8080",
            ],
            services
        );
        Assert.All(routes, r => Assert.NotNull(r.Request));
    }

    [Fact]
    public void A_rule_becomes_one_route_a_match_with_its_times()
    {
        var route = Assert.Single(Read("{ path: { type: PathPrefix, value: /v1/accounts/ } }"));

        Assert.Equal(
            new Route(
                PathMatch.Prefix,
                "/v1/accounts",
                "svc-ledger:8080",
                TimeSpan.FromSeconds(5),
                TimeSpan.FromSeconds(2)
            ),
            route
        );
    }

    [Theory]
    [InlineData("{ path: { type: RegularExpression, value: /v1/.* } }", "RegularExpression")]
    [InlineData("{ path: { type: PathPrefix, value: /v1 }, headers: [ { name: x, value: y } ] }", "headers")]
    [InlineData("{ path: { type: PathPrefix, value: /v1 }, method: GET }", "method")]
    [InlineData("{ path: { type: PathPrefix, value: 'v1 { }' } }", "no plain path")]
    [InlineData("{ path: { type: Exact } }", "value is missing")]
    public void A_match_beyond_paths_is_refused_by_name(string match, string named)
    {
        var refusal = Assert.Throws<RouteException>(() => Read(match));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ name: a, port: 1, weight: 90 }", "weight")]
    [InlineData("{ name: a, port: 1 }, { name: b, port: 1 }", "exactly one backendRef")]
    public void Traffic_splitting_is_refused(string backends, string named)
    {
        var refusal = Assert.Throws<RouteException>(() => Read("{ path: { type: Exact, value: / } }", backends));

        Assert.Contains(named, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_routed_twice_is_refused()
    {
        const string match = "{ path: { type: Exact, value: /v1 } }";

        Assert.Contains(
            "twice",
            Assert.Throws<RouteException>(() => Read($"{match}, {match}")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Another_kind_of_document_is_refused() =>
        Assert.Throws<RouteException>(() => RouteFile.Read("apiVersion: v1\nkind: Service\n"));

    [Fact]
    public void A_backend_without_an_address_is_refused() =>
        Assert.Throws<RouteException>(() =>
            NginxConfig.Write(
                Read("{ path: { type: Exact, value: /v1 } }"),
                "127.0.0.1:80",
                new Dictionary<string, string>()
            )
        );

    internal static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run inside the checkout.");
        }

        return folder.FullName;
    }

    private static IReadOnlyList<Route> Read(string match, string backend = "{ name: svc-ledger, port: 8080 }") =>
        RouteFile.Read(
            Frame
                .Replace("MATCH", match, StringComparison.Ordinal)
                .Replace("BACKEND", backend, StringComparison.Ordinal)
        );
}
