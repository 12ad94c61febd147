using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Grpc.Core;
using Grpc.Net.Client;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;
using Microsoft.AspNetCore.Http;
using Official = Dapr.Client.Autogen.Grpc.v1;

namespace LocalPlus.Sidecar.Tests;

/// <summary>
/// The callee's access control, the topic scopes and the secret scopes, asked by the official client's messages too.
/// </summary>
public sealed class AccessTests
{
    private const string Callee = """
        apiVersion: dapr.io/v1alpha1
        kind: Configuration
        metadata: { name: callee }
        spec:
          accessControl:
            defaultAction: deny
            trustDomain: public
            policies:
              - appId: till
                namespace: default
                trustDomain: public
                defaultAction: deny
                operations:
                  - { name: /internal/keys, httpVerb: [POST], action: allow }
                  - { name: /internal/shops/*, httpVerb: ["*"], action: allow }
                  - { name: /internal/shops/secret, httpVerb: ["*"], action: deny }
                  - { name: /books.v1.Books/**, action: allow }
                  - { name: /books.v1.Books/Burn, action: deny }
        """;

    private static async Task<SidecarUnderTest> CalleeAsync(SidecarHost host, string protocol = "http") =>
        await SidecarUnderTest.StartAsync(
            Yaml.Memory,
            async http =>
            {
                await http.Request.Body.CopyToAsync(Stream.Null);
                http.Response.ContentType = protocol == "http" ? "text/plain" : "application/grpc";
                await http.Response.Body.WriteAsync(protocol == "http" ? "ok"u8.ToArray() : new byte[5]);
                if (protocol != "http")
                {
                    http.Response.AppendTrailer("grpc-status", "0");
                }
            },
            o =>
            {
                (o.AppId, o.AppProtocol) = ("books", protocol);
                o.ConfigFiles = [Path.Combine(o.WorkingDirectory, "config.yml")];
                File.WriteAllText(o.ConfigFiles[0], Callee);
            },
            host
        );

    private static Task<SidecarUnderTest> CallerAsync(SidecarHost host, string app) =>
        SidecarUnderTest.StartAsync(Yaml.Memory, configure: o => o.AppId = app, host: host);

    [Theory]
    [InlineData("till", "POST", "internal/keys", true)]
    [InlineData("till", "GET", "internal/keys", false)]
    [InlineData("till", "GET", "internal/shops/7", true)]
    [InlineData("till", "GET", "internal/shops/secret", false)]
    [InlineData("till", "GET", "internal/shops/7/till", false)]
    [InlineData("till", "GET", "internal/../internal/shops/secret", false)]
    [InlineData("till", "GET", "elsewhere", false)]
    [InlineData("stranger", "POST", "internal/keys", false)]
    public async Task An_operation_is_open_to_those_whom_a_policy_names(string app, string verb, string path, bool open)
    {
        // In one process, and in two, where the call takes a hop.
        var host = new SidecarHost();
        foreach (var callers in (SidecarHost[])[host, new SidecarHost()])
        {
            await using var callee = await CalleeAsync(host);
            await using var caller = await CallerAsync(callers, app);

            using var answer = await caller.Http.SendAsync(
                new HttpRequestMessage(new HttpMethod(verb), $"/v1.0/invoke/books/method/{path}")
            );

            Assert.Equal(open ? HttpStatusCode.OK : HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.Equal(open ? 1 : 0, callee.Requests.Count(r => r.Contains("/internal/", StringComparison.Ordinal)));
            if (!open)
            {
                var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
                Assert.Equal("ERR_DIRECT_INVOKE", error.GetProperty("errorCode").GetString());
                Assert.Contains(
                    $"access control policy has denied access to id: spiffe://public/ns/default/{app} operation: ",
                    error.GetProperty("message").GetString(),
                    StringComparison.Ordinal
                );
            }
        }
    }

    [Theory]
    [InlineData("till", "/books.v1.Books/Post", StatusCode.OK)]
    [InlineData("till", "/books.v1.Books/Burn", StatusCode.PermissionDenied)]
    [InlineData("till", "/books.v1.Others/Post", StatusCode.PermissionDenied)]
    [InlineData("stranger", "/books.v1.Books/Post", StatusCode.PermissionDenied)]
    public async Task A_proxied_call_is_an_operation_too(string app, string path, StatusCode status)
    {
        var host = new SidecarHost();
        foreach (var callers in (SidecarHost[])[host, new SidecarHost()])
        {
            await using var callee = await CalleeAsync(host, "h2c");
            await using var caller = await CallerAsync(callers, app);
            using var channel = GrpcChannel.ForAddress(caller.GrpcAddress);
            var empty = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);
            var names = path.Split('/');
            var method = new Method<byte[], byte[]>(MethodType.Unary, names[1], names[2], empty, empty);

            // What the client claims to be does not count.
            var call = channel
                .CreateCallInvoker()
                .AsyncUnaryCall(
                    method,
                    null,
                    new CallOptions(new Metadata { { "dapr-app-id", "books" }, { "dapr-caller-app-id", "till" } }),
                    []
                );

            Assert.Equal(
                status,
                status == StatusCode.OK
                    ? (await call, StatusCode.OK).Item2
                    : (await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync)).StatusCode
            );
        }
    }

    [Fact]
    public async Task An_application_calls_itself_without_being_asked()
    {
        await using var callee = await CalleeAsync(new SidecarHost());

        Assert.Equal(HttpStatusCode.OK, (await callee.Http.GetAsync("/v1.0/invoke/books/method/anything")).StatusCode);
    }

    [Fact]
    public async Task A_policy_without_a_trust_domain_keeps_the_sidecar_from_starting() =>
        await Assert.ThrowsAsync<ComponentException>(() =>
            SidecarUnderTest.StartAsync(
                Yaml.Memory,
                configure: o =>
                {
                    o.ConfigFiles = [Path.Combine(o.WorkingDirectory, "config.yml")];
                    File.WriteAllText(
                        o.ConfigFiles[0],
                        Callee.Replace(
                            "        trustDomain: public\n        defaultAction",
                            "        defaultAction",
                            StringComparison.Ordinal
                        )
                    );
                }
            )
        );

    [Fact]
    public async Task Topics_and_secrets_are_closed_to_those_whom_no_scope_names()
    {
        var secrets = Path.GetTempFileName();
        await File.WriteAllTextAsync(secrets, """{"mine":"1","theirs":"2"}""");
        var resources =
            Yaml.Events.Replace(
                "  type: pubsub.in-memory\n  version: v1\n",
                "  type: pubsub.in-memory\n  version: v1\n  metadata:\n  - { name: publishingScopes, value: \"under-test=;other=orders\" }\n",
                StringComparison.Ordinal
            )
            + $"---\napiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{ name: vault }}\nspec:\n  type: secretstores.local.file\n  version: v1\n  metadata:\n  - {{ name: secretsFile, value: \"{secrets}\" }}\n";
        await using var sidecar = await SidecarUnderTest.StartAsync(
            resources,
            configure: o =>
            {
                o.ConfigFiles = [Path.Combine(o.WorkingDirectory, "config.yml")];
                File.WriteAllText(
                    o.ConfigFiles[0],
                    "kind: Configuration\nmetadata: { name: c }\nspec:\n  secrets:\n    scopes:\n    - { storeName: vault, defaultAccess: deny, allowedSecrets: [mine] }\n"
                );
            }
        );
        using var channel = GrpcChannel.ForAddress(sidecar.GrpcAddress);
        var dapr = new Official.Dapr.DaprClient(channel);

        var topic = await Assert.ThrowsAsync<RpcException>(() =>
            dapr.PublishEventAsync(
                new Official.PublishEventRequest { PubsubName = "pubsub", Topic = "orders" }
            ).ResponseAsync
        );
        var secret = await Assert.ThrowsAsync<RpcException>(() =>
            dapr.GetSecretAsync(new Official.GetSecretRequest { StoreName = "vault", Key = "theirs" }).ResponseAsync
        );

        Assert.Equal((StatusCode.PermissionDenied, StatusCode.PermissionDenied), (topic.StatusCode, secret.StatusCode));
        Assert.Equal(
            "1",
            (await dapr.GetSecretAsync(new Official.GetSecretRequest { StoreName = "vault", Key = "mine" })).Data[
                "mine"
            ]
        );
        Assert.Equal(
            "mine",
            Assert
                .Single((await dapr.GetBulkSecretAsync(new Official.GetBulkSecretRequest { StoreName = "vault" })).Data)
                .Key
        );
        File.Delete(secrets);
    }
}
