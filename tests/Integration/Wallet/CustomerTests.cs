using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Wallet;

public sealed class CustomerTests(WalletApi api) : IClassFixture<WalletApi>
{
    [Fact]
    public async Task A_customer_reads_back_for_its_own_merchant_only()
    {
        var (_, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var made = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new
            {
                email = "Anna@Example.test",
                name = "Anna",
                phone = "+33 1",
                locale = "fr",
            },
            201
        );
        var path = $"/v1/customers/{made.GetProperty("id").GetString()}";

        var customer = await api.Service.CallAsync(HttpMethod.Get, path, key);

        Assert.Equal("Anna@example.test", customer.GetProperty("email").GetString());
        Assert.Equal("Anna", customer.GetProperty("name").GetString());
        Assert.Equal("+33 1", customer.GetProperty("phone").GetString());
        Assert.Equal("fr", customer.GetProperty("locale").GetString());
        await api.Service.CallAsync(HttpMethod.Get, path, stranger, status: 404);
        await api.Service.CallAsync(HttpMethod.Get, $"{path}/wallet", stranger, status: 404);
    }

    [Fact]
    public async Task The_same_address_twice_names_the_customer_that_exists()
    {
        var (_, key) = api.NewMerchant();
        var (_, other) = api.NewMerchant();
        var first = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "ben@example.test" },
            201
        );

        var problem = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "BEN@example.test" },
            409
        );

        Assert.Equal("customer_exists", problem.GetProperty("code").GetString());
        Assert.Equal(first.GetProperty("id").GetString(), problem.GetProperty("customer_id").GetString());
        await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", other, new { email = "ben@example.test" }, 201);
    }

    [Fact]
    public async Task A_repeat_replays_and_another_body_under_the_key_is_refused()
    {
        var (_, key) = api.NewMerchant();
        var first = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "c@example.test" },
            201,
            "k"
        );
        var again = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "c@example.test" },
            201,
            "k"
        );

        var reused = await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new { email = "d@example.test" },
            422,
            "k"
        );

        Assert.Equal(first.GetProperty("id").GetString(), again.GetProperty("id").GetString());
        Assert.Equal("idempotency_key_reused", reused.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("""{"email":"nobody"}""", "/email")]
    [InlineData("""{"email":"a@b.test\r\nBcc: x@y.test"}""", "/email")]
    [InlineData("""{"email":"a@b.test","name":""}""", "/name")]
    [InlineData("""{"email":"a@b.test","phone":"0123456789012345678901234567890123"}""", "/phone")]
    [InlineData("""{"email":"a@b.test","locale":"es"}""", "/locale")]
    public async Task What_is_wrong_with_a_customer_is_named(string body, string pointer)
    {
        var (_, key) = api.NewMerchant();

        var problem = await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", key, body, 400);

        Assert.Equal("invalid_request", problem.GetProperty("code").GetString());
        Assert.Contains(
            problem.GetProperty("errors").EnumerateArray(),
            e => e.GetProperty("pointer").GetString() == pointer
        );
    }

    [Fact]
    public async Task Without_a_key_or_a_scope_nothing_opens()
    {
        var (merchant, _) = api.NewMerchant();
        var reader = api.Sidecar.IssueKey(merchant, "customers:read");
        await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", null, new { email = "a@b.test" }, 401);
        await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", reader, new { email = "a@b.test" }, 403);
    }

    [Fact]
    public async Task A_sale_finds_or_adds_its_holder_once_even_when_asked_at_the_same_time()
    {
        var merchant = MerchantId.New(TimeProvider.System).ToString();
        var asked = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(_ =>
                    api.Service.InvokeAsync(
                        HttpMethod.Post,
                        "/internal/customers",
                        new
                        {
                            merchant_id = merchant,
                            email = "eve@example.test",
                            name = "Eve",
                        }
                    )
                )
        );

        var id = Assert.Single(asked.Select(a => a.GetProperty("customer_id").GetString()).Distinct());
        Assert.Single(asked, a => a.GetProperty("added").GetBoolean());
        var contact = await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customers/{id}/contact?merchant_id={merchant}"
        );
        Assert.Equal("eve@example.test", contact.GetProperty("email").GetString());
        Assert.Equal("Eve", contact.GetProperty("name").GetString());
        var stranger = MerchantId.New(TimeProvider.System);
        await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customers/{id}/contact?merchant_id={stranger}",
            status: 404
        );
    }

    [Fact]
    public async Task Who_has_lost_the_key_is_forgotten_and_nobody_else()
    {
        var (_, key) = api.NewMerchant();
        var customers = new List<string>();
        foreach (var name in new[] { "first", "second" })
        {
            var email = $"{name}-{Guid.CreateVersion7():N}@example.test";
            var made = await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", key, new { email }, 201);
            customers.Add(made.GetProperty("id").GetString()!);
        }

        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var destroy = new NpgsqlCommand(
            "DELETE FROM subject_keys WHERE customer_id = @Id RETURNING wrapped_key",
            connection
        );
        destroy.Parameters.AddWithValue("Id", CustomerId.Parse(customers[0]).Value);
        var destroyed = (byte[])(await destroy.ExecuteScalarAsync())!;
        await using var left = new NpgsqlCommand(
            "SELECT count(*) FROM subject_keys WHERE wrapped_key = @Key",
            connection
        );
        left.Parameters.AddWithValue("Key", destroyed);

        Assert.Equal(0L, await left.ExecuteScalarAsync());
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{customers[0]}", key, status: 404);
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{customers[1]}", key);
    }

    [Fact]
    public async Task No_personal_data_is_stored_in_clear()
    {
        var (_, key) = api.NewMerchant();
        await api.Service.CallAsync(
            HttpMethod.Post,
            "/v1/customers",
            key,
            new
            {
                email = "canary@example.test",
                name = "Canary",
                phone = "+491573598264",
            },
            201
        );

        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        const string everything = """
            SELECT string_agg(t.row, ' ')
              FROM (SELECT encode(c.personal_data, 'escape') || c::text AS row FROM customers c
                    UNION ALL SELECT encode(k.wrapped_key, 'escape') FROM subject_keys k
                    UNION ALL SELECT convert_from(i.body, 'UTF8') || i::text FROM idempotency_keys i
                    UNION ALL SELECT o::text FROM outbox_events o) t
            """;
        await using var command = new NpgsqlCommand(everything, connection);
        var dump = (string)(await command.ExecuteScalarAsync())!;
        Assert.DoesNotContain("canary", dump, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("491573598264", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("canary", api.Service.Output, StringComparison.OrdinalIgnoreCase);
    }
}
