namespace LocalPlus.Cli;

/// <summary>
/// Brings every service's schema up to this release before anything serves, as the migration jobs do in a cluster: the
/// service's executable with `migrate`, which alone is given the credential of the schema's owner.
/// </summary>
internal sealed class SchemaMigrations(IEnumerable<ProcessSpec> services, Ports ports, Secrets secrets)
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(services.Select(s => MigrateAsync(s, cancel)));

    private async Task MigrateAsync(ProcessSpec service, CancellationToken cancel)
    {
        var migrate = new Command(service.File, [.. service.Arguments, "migrate"])
        {
            WorkingDirectory = service.WorkingDirectory,
            Environment = new(service.Environment)
            {
                ["Secrets__database"] = secrets.OwnerDatabase(service.Name, ports),
                ["Secrets__app_role"] = service.Name,
            },
            Limit = Limit,
        };
        var result = await migrate.RunAsync(cancel);
        if (result.ExitCode != 0)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"the schema of {service.Name} can not be migrated:\n{result.Tail(10)}",
                "./localplus logs postgres"
            );
        }
    }
}
