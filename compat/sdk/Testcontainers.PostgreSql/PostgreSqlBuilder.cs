namespace Testcontainers.PostgreSql;

/// <summary>
/// Describes a private PostgreSQL server. The image's major version chooses among the installed ones; commands are the
/// server's own options (<c>-c name=value</c>). Nothing is written durably unless <c>fsync=on</c> is asked for.
/// </summary>
public sealed class PostgreSqlBuilder
{
    public const string PostgreSqlImage = "postgres:15.1";
    public const ushort PostgreSqlPort = 5432;
    public const string DefaultDatabase = "postgres";
    public const string DefaultUsername = "postgres";
    public const string DefaultPassword = "postgres";

    private readonly Settings settings;

    public PostgreSqlBuilder()
        : this(PostgreSqlImage)
    {
    }

    public PostgreSqlBuilder(string image)
        : this(new Settings(image, DefaultDatabase, DefaultUsername, DefaultPassword, []))
    {
    }

    private PostgreSqlBuilder(Settings settings) => this.settings = settings;

    public PostgreSqlBuilder WithImage(string image) => new(settings with { Image = image });

    public PostgreSqlBuilder WithDatabase(string database) => new(settings with { Database = database });

    public PostgreSqlBuilder WithUsername(string username) => new(settings with { Username = username });

    public PostgreSqlBuilder WithPassword(string password) => new(settings with { Password = password });

    public PostgreSqlBuilder WithCommand(params string[] command) =>
        new(settings with { Command = [.. settings.Command, .. command] });

    public PostgreSqlContainer Build() => new(settings);

    internal sealed record Settings(string Image, string Database, string Username, string Password, string[] Command);
}
