using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Audit;
using LocalPlus.Tests.Integration.Giftcard;
using LocalPlus.Tests.Integration.Ledger;
using LocalPlus.Tests.Integration.Notification;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Integration.Wallet;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace LocalPlus.Tests.Integration.Privacy;

/// <summary>
/// The services that keep anything of a person, and the ledger, as processes on databases of their own: what one asks
/// of another is asked of it, and what one publishes is delivered when a test says so.
/// </summary>
public sealed class PrivacyStage : IAsyncLifetime
{
    private readonly Dictionary<StubSidecar, int> delivered = [];

    public LedgerFixture Ledger { get; } = new();

    public WalletApi Wallet { get; } = new();

    public NotificationApi Notification { get; } = new();

    public GiftcardApi Giftcard { get; }

    public PrivacyStage() => Giftcard = new GiftcardApi { Books = Ledger };

    public async Task InitializeAsync()
    {
        await Ledger.InitializeAsync();
        await Task.WhenAll(Giftcard.InitializeAsync(), Wallet.InitializeAsync(), Notification.InitializeAsync());
        Giftcard.Sidecar.OnInvoke("wallet", "internal/customers", Ask(() => Wallet.Service));
        Giftcard.Sidecar.OnInvoke("wallet", "internal/customer_ids/*", Ask(() => Wallet.Service));
        Wallet.Sidecar.OnInvoke("giftcard", "internal/holders/*", Ask(() => Giftcard.Service));
        Wallet.Sidecar.OnInvoke("giftcard", "internal/forgotten_holders", Ask(() => Giftcard.Service));
        Wallet.Sidecar.OnInvoke("notification", "internal/holders/*", Ask(() => Notification.Service));
        Wallet.Sidecar.OnInvoke("notification", "internal/forgotten_holders", Ask(() => Notification.Service));
    }

    public async Task DisposeAsync()
    {
        await Notification.DisposeAsync();
        await Giftcard.DisposeAsync();
        await Wallet.DisposeAsync();
        await Ledger.DisposeAsync();
    }

    /// <summary>A merchant that all of them know, with a key for everything.</summary>
    public Shop NewShop()
    {
        var (merchant, cards) = Giftcard.NewMerchant();
        Notification.Sidecar.OnInvoke(
            "merchant",
            $"internal/merchants/{merchant}/contact",
            _ =>
                Task.FromResult(
                    Results.Json(
                        new
                        {
                            name = "Town shop",
                            locale = "en",
                            contact_email = "owner@shop.test",
                        }
                    )
                )
        );
        string[] scopes = ["customers:read", "customers:write", "privacy:read", "privacy:write"];
        return new(
            merchant,
            cards,
            Wallet.Sidecar.IssueKey(merchant, scopes),
            Notification.Sidecar.IssueKey(merchant, "notifications:read")
        );
    }

    /// <summary>What notification asks for when it writes to somebody to whom a card is sent.</summary>
    public void MailsOf(string customer, string card)
    {
        Notification.Sidecar.OnInvoke("wallet", $"internal/customers/{customer}/contact", Ask(() => Wallet.Service));
        Notification.Sidecar.OnInvoke("giftcard", $"internal/gift_cards/{card}/delivery", Ask(() => Giftcard.Service));
    }

    /// <summary>Delivers all that was published since the last time to whoever subscribes to it.</summary>
    public async Task DeliverAsync()
    {
        foreach (var sidecar in new[] { Giftcard.Sidecar, Wallet.Sidecar })
        {
            var seen = delivered.GetValueOrDefault(sidecar);
            var published = sidecar.Published.Skip(seen).ToArray();
            foreach (var message in published)
            {
                var topic = message.GetProperty("topic").GetString()!;
                RunningService[] consumers = topic switch
                {
                    "giftcard.cards.v1" => [Wallet.Service, Notification.Service],
                    "customer.erased.v1" => [Giftcard.Service, Notification.Service],
                    _ => [],
                };
                foreach (var consumer in consumers)
                {
                    using var content = new StringContent(
                        message.GetProperty("event").GetRawText(),
                        Encoding.UTF8,
                        new MediaTypeHeaderValue("application/cloudevents+json")
                    );
                    using var answer = await consumer.App.PostAsync(
                        new Uri($"/events/{topic}", UriKind.Relative),
                        content
                    );
                    Assert.True(answer.IsSuccessStatusCode, consumer.Output);
                }
            }

            delivered[sidecar] = seen + published.Length;
        }
    }

    /// <summary>Delivers until something is so.</summary>
    public Task UntilAsync(Func<Task<bool>> holds) =>
        Eventually.TrueAsync(
            async () =>
            {
                await DeliverAsync();
                return await holds();
            },
            because: () => $"{Wallet.Service.Output}\n{Giftcard.Service.Output}\n{Notification.Service.Output}"
        );

    /// <summary>
    /// Every row of every table of every service that has one of the words in it: as text, in JSON, or in bytes. Ids of
    /// databases and tables.
    /// </summary>
    public async Task<IReadOnlyList<string>> RowsWithAsync(params string[] words)
    {
        var found = new List<string>();
        foreach (var database in new[] { Wallet.Database, Giftcard.Database, Notification.Database, Ledger.Database })
        {
            found.AddRange(await RowsWithAsync(database, words));
        }

        return found;
    }

    /// <summary>What the services have written to their logs, and told the world.</summary>
    public string Told() =>
        string.Join(
            '\n',
            (string[])
                [
                    Wallet.Service.Output,
                    Giftcard.Service.Output,
                    Notification.Service.Output,
                    Ledger.Service.Output,
                    .. new[] { Wallet.Sidecar, Giftcard.Sidecar, Notification.Sidecar, Ledger.Sidecar }.SelectMany(
                        sidecar => sidecar.Published.Select(message => message.GetRawText())
                    ),
                ]
        );

    /// <summary>What `ledger verify` says of the books as they are; the ledger is ended for it.</summary>
    public async Task<(int ExitCode, string Output)> VerifyLedgerAsync()
    {
        await Eventually.TrueAsync(async () =>
            await Ledger.Database.ScalarAsync<long>(
                """
                SELECT count(*)
                  FROM transactions t
                 WHERE NOT EXISTS (SELECT FROM log_leaves l WHERE l.transaction_id = t.transaction_id)
                """
            ) == 0
        );
        await Ledger.Service.DisposeAsync();
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(RunningService.CheckpointKey), out _);
        var keyPath = $"{Ledger.CheckpointPath}.pem";
        await File.WriteAllTextAsync(keyPath, key.ExportSubjectPublicKeyInfoPem());
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?> { ["Secrets:database"] = Ledger.Database.ConnectionString }
            )
            .Build();
        await using var output = new StringWriter();
        var exit = await AuditCommand.RunAsync(
            ["verify", "--key", keyPath, "--checkpoints", Ledger.CheckpointPath],
            configuration,
            output,
            default
        );
        File.Delete(keyPath);
        return (exit, output.ToString());
    }

    private static async Task<List<string>> RowsWithAsync(TestDatabase database, string[] words)
    {
        var patterns = words
            .SelectMany(word => new[] { word, Convert.ToHexString(Encoding.UTF8.GetBytes(word)) }.Select(w => $"%{w}%"))
            .ToArray();
        await using var connection = new NpgsqlConnection(database.SuperuserConnectionString);
        await connection.OpenAsync();
        var tables = new List<string>();
        await using (
            var list = new NpgsqlCommand(
                """
                SELECT c.oid::regclass::text
                  FROM pg_class c
                 WHERE c.relkind = 'r'
                   AND c.relnamespace = 'public'::regnamespace
                """,
                connection
            )
        )
        await using (var reader = await list.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                tables.Add(reader.GetString(0));
            }
        }

        Assert.NotEmpty(tables);
        var found = new List<string>();
        foreach (var table in tables)
        {
            // A row as text has everything in it: bytes as hexadecimal digits, JSON and arrays as they are written.
            await using var search = new NpgsqlCommand(
                $"SELECT t::text FROM {table} t WHERE t::text ILIKE ANY (@Patterns)",
                connection
            );
            search.Parameters.AddWithValue("Patterns", patterns);
            await using var rows = await search.ExecuteReaderAsync();
            while (await rows.ReadAsync())
            {
                found.Add($"{connection.Database} {table} {rows.GetString(0)}");
            }
        }

        return found;
    }

    /// <summary>Asks the service itself what its peer asked the sidecar for.</summary>
    private static Func<HttpRequest, Task<IResult>> Ask(Func<RunningService> service) =>
        async request =>
        {
            var path = request.Path.Value!;
            var method = path[(path.IndexOf("/method/", StringComparison.Ordinal) + "/method".Length)..];
            var target = service();
            using var asked = new HttpRequestMessage(new HttpMethod(request.Method), $"{method}{request.QueryString}")
            {
                Version = target.App.DefaultRequestVersion,
                VersionPolicy = target.App.DefaultVersionPolicy,
            };
            if (HttpMethods.IsPost(request.Method))
            {
                asked.Content = new StreamContent(request.Body);
                asked.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            }

            using var answer = await target.App.SendAsync(asked);
            return Results.Text(
                await answer.Content.ReadAsStringAsync(),
                answer.Content.Headers.ContentType?.ToString(),
                statusCode: (int)answer.StatusCode
            );
        };

    /// <summary>A merchant with its keys at each of the services.</summary>
    public sealed record Shop(MerchantId Merchant, string CardKey, string CustomerKey, string MessageKey);
}
