using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace LocalPlus.Tests.Integration.Rows;

/// <summary>A column that a row can not do without.</summary>
internal sealed record NeededColumn(string Relname, string Attname, string Type);

/// <summary>What the service's role may do to a table.</summary>
/// <param name="Updates">A column that it may write; none: it may change nothing.</param>
internal sealed record Table(string Name, bool IsLocked, bool Inserts, bool Deletes, string? Updates);

/// <summary>
/// A service's database as its migrations make it, with one row of each of two merchants in every table that has the
/// lock. Rows are made from the schema alone: a column's value follows from its name and the merchant, so that children
/// name the parents of their own merchant.
/// </summary>
internal sealed class TwoMerchants : IAsyncDisposable
{
    private static readonly string[] OfMerchant = ["merchant_id", "issuer_id", "chain"];

    private readonly TestDatabase database;
    private readonly ILookup<string, NeededColumn> columns;
    private readonly Dictionary<(string Table, MerchantId Merchant), string> rows = [];

    private TwoMerchants(TestDatabase database, IReadOnlyList<Table> tables, ILookup<string, NeededColumn> columns) =>
        (this.database, Tables, this.columns) = (database, tables, columns);

    public MerchantId Mine { get; } = MerchantId.New(TimeProvider.System);

    public MerchantId Theirs { get; } = MerchantId.New(TimeProvider.System);

    /// <summary>All tables of the service, partitions left out.</summary>
    public IReadOnlyList<Table> Tables { get; }

    public IEnumerable<Table> Locked => Tables.Where(table => table.IsLocked);

    public static async Task<TwoMerchants> CreateAsync(string service, string assembly)
    {
        var database = await TestDatabase.CreateAsync(service, Assembly.Load(assembly));
        await using var admin = new NpgsqlConnection(database.SuperuserConnectionString);
        await admin.OpenAsync();
        var tables = await admin.QueryAsync<Table>(Sql.Tables, new { Role = service });
        var columns = await admin.QueryAsync<NeededColumn>(Sql.Columns);
        var both = new TwoMerchants(database, [.. tables], columns.ToLookup(c => c.Relname));
        // Neither what a value may be nor what it refers to matters here.
        foreach (var drop in await admin.QueryAsync<string>(Sql.Checks))
        {
            await admin.ExecuteAsync(drop);
        }

        await admin.ExecuteAsync("SET session_replication_role = replica");
        foreach (var table in both.Locked)
        {
            foreach (var merchant in (MerchantId[])[both.Mine, both.Theirs])
            {
                both.rows[(table.Name, merchant)] = await admin.QuerySingleAsync<string>(
                    $"{both.Insert(table, merchant)} RETURNING {table.Name}::text"
                );
            }
        }

        return both;
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    /// <summary>The merchant's row, as PostgreSQL writes it.</summary>
    public string Row(Table table, MerchantId merchant) => rows[(table.Name, merchant)];

    /// <summary>Another row of the merchant, as good as the one that there is.</summary>
    public string Insert(Table table, MerchantId merchant)
    {
        var needed = columns[table.Name].ToArray();
        return $"INSERT INTO {table.Name} ({string.Join(", ", needed.Select(c => c.Attname))}) "
            + $"VALUES ({string.Join(", ", needed.Select(c => $"{Value(c, merchant)}::{c.Type}"))})";
    }

    /// <summary>The database as the service has it, with one connection; what is sent is logged.</summary>
    public ServiceProvider Open(ILoggerProvider? log = null)
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 1 };
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Secrets:database"] = settings.ConnectionString })
            .Build();
        var services = new ServiceCollection();
        services.AddLogging(logging =>
        {
            if (log is not null)
            {
                logging.SetMinimumLevel(LogLevel.Debug).AddProvider(log);
            }
        });
        services.AddSingleton<IConfiguration>(configuration);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<OutboxSignal>();
        services.AddLocalPlusDatabase(configuration, new ServiceIdentity("rows", typeof(Database).Assembly));
        return services.BuildServiceProvider();
    }

    /// <summary>As the administrator, whom neither locks nor references hold.</summary>
    public async Task ArrangeAsync(string sql, object args)
    {
        await using var admin = new NpgsqlConnection(database.SuperuserConnectionString);
        await admin.OpenAsync();
        await admin.ExecuteAsync("SET session_replication_role = replica");
        await admin.ExecuteAsync(sql, args);
    }

    private string Value(NeededColumn column, MerchantId merchant)
    {
        var number = merchant == Mine ? 1 : 2;
        if (column.Type.EndsWith("[]", StringComparison.Ordinal))
        {
            return "'{}'";
        }

        return column.Type switch
        {
            "uuid" => $"'{(OfMerchant.Contains(column.Attname) ? merchant.Value : IdOf(column.Attname, merchant))}'",
            "boolean" => "false",
            "timestamp with time zone" => "now()",
            "date" => "now()",
            "bytea" => $"'\\x0{number}'",
            "json" or "jsonb" => "'{}'",
            _ => $"'{number}'",
        };
    }

    /// <summary>One for each merchant and name: what a parent is called, its children call it too.</summary>
    private static Guid IdOf(string column, MerchantId merchant) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{merchant}:{column}")).AsSpan(0, 16));

    private static class Sql
    {
        public const string Tables = """
            SELECT c.relname::text AS name,
                   c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS islocked,
                   has_table_privilege(@Role::text, c.oid, 'INSERT') AS inserts,
                   has_table_privilege(@Role::text, c.oid, 'DELETE') AS deletes,
                   (SELECT a.attname::text
                      FROM pg_attribute a
                     WHERE a.attrelid = c.oid
                       AND a.attnum > 0
                       AND NOT a.attisdropped
                       AND a.attidentity = ''
                       AND has_column_privilege(@Role::text, c.oid, a.attnum, 'UPDATE')
                     ORDER BY a.attnum DESC
                     LIMIT 1) AS updates
              FROM pg_class c
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind IN ('r', 'p')
               AND NOT c.relispartition
             ORDER BY c.relname
            """;

        public const string Columns = """
            SELECT c.relname::text AS relname, a.attname::text AS attname,
                   format_type(a.atttypid, a.atttypmod) AS type
              FROM pg_attribute a
              JOIN pg_class c
                ON c.oid = a.attrelid
             WHERE c.relnamespace = 'public'::regnamespace
               AND c.relkind IN ('r', 'p')
               AND a.attnum > 0
               AND NOT a.attisdropped
               AND a.attnotnull
               AND a.attidentity = ''
               AND a.attgenerated = ''
            """;

        public const string Checks = """
            SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', n.conrelid::regclass, n.conname)
              FROM pg_constraint n
              JOIN pg_class c
                ON c.oid = n.conrelid
             WHERE n.contype = 'c'
               AND n.coninhcount = 0
               AND c.relnamespace = 'public'::regnamespace
            """;
    }
}
