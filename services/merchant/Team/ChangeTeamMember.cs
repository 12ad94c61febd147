using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Team;

/// <summary>
/// PATCH /v1/team_members/{id} with If-Match: another name or role; DELETE: the person leaves the team. Both are seen
/// everywhere within five seconds. A team that has an owner keeps one. Refusals: not_found, last_owner,
/// if_match_required, version_conflict, invalid_request.
/// </summary>
internal static class ChangeTeamMember
{
    internal sealed record Request(string? Name = null, TeamRole? Role = null);

    public static IEndpointRouteBuilder MapChangeTeamMember(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/team_members/{id}", ChangeAsync)
            .RequireScope("team:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review, MerchantStatus.Suspended)
            .RequireIfMatch()
            .Refuses(Faults.LastOwner)
            .Audit("team_member.change")
            .WithName(nameof(ChangeTeamMember))
            .Produces<TeamMemberView>();
        group
            .MapDelete("/team_members/{id}", RemoveAsync)
            .RequireScope("team:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review, MerchantStatus.Suspended, MerchantStatus.Closed)
            .Refuses(Faults.LastOwner)
            .Audit("team_member.remove")
            .WithName("RemoveTeamMember")
            .Produces(StatusCodes.Status204NoContent);
        return group;
    }

    private static async Task<IResult> ChangeAsync(
        HttpContext http,
        TeamMemberId id,
        Request request,
        Database database,
        ILogger<ServiceIdentity> log,
        CancellationToken cancel
    )
    {
        var version = http.RequireIfMatch();
        new FieldChecks().Name(request.Name).ThrowIfAny();
        await using var db = await database.BeginAsync(cancel);
        var row = await LockAsync(db, http.GetMerchant().MerchantId, id);
        if (row is not { RemovedAt: null })
        {
            throw Absent();
        }

        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The person's version is {row.Version}.");
        }

        var changed = row with
        {
            Name = request.Name?.Trim() ?? row.Name,
            Role = request.Role is { } role ? Roles.Text(role) : row.Role,
            Version = row.Version + 1,
        };
        await WriteAsync(db, row, changed);
        log.TeamChanged(changed.MerchantId, id, "changed");
        return Answer.Ok(changed.ToView(), changed.Version);
    }

    private static async Task<IResult> RemoveAsync(
        HttpContext http,
        TeamMemberId id,
        Database database,
        KeyBroadcast broadcast,
        ILogger<ServiceIdentity> log,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var row = await LockAsync(db, http.GetMerchant().MerchantId, id) ?? throw Absent();
        if (row.RemovedAt is null)
        {
            broadcast.TellWith(db, KeyNews.Ended(new(id.Value), db.Now));
            await WriteAsync(db, row, row with { RemovedAt = db.Now, Version = row.Version + 1 });
            log.TeamChanged(row.MerchantId, id, "removed");
        }

        return Results.NoContent();
    }

    private static FaultException Absent() => new(CommonFaults.NotFound, "There is no such person in the team.");

    /// <summary>The merchant's row first: of two owners that remove each other one is left.</summary>
    private static async Task<TeamMemberRow?> LockAsync(DbSession db, MerchantId merchant, TeamMemberId id)
    {
        var args = new { TeamMemberId = id, MerchantId = merchant };
        await db.ExecuteAsync(Sql.LockTeam, args);
        return await db.QuerySingleOrDefaultAsync<TeamMemberRow>(Sql.Lock, args);
    }

    private static async Task WriteAsync(DbSession db, TeamMemberRow before, TeamMemberRow after)
    {
        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                after.TeamMemberId,
                after.Name,
                after.Role,
                after.Version,
                RemovedAt = after.RemovedAt?.UtcDateTime,
            }
        );
        var owner = Roles.Text(TeamRole.Owner);
        if (before.Role == owner && await db.QuerySingleAsync<long>(Sql.CountOwners, new { before.MerchantId }) == 0)
        {
            throw new FaultException(Faults.LastOwner, "Make somebody else an owner first.");
        }

        await db.CommitAsync();
    }

    private static class Sql
    {
        public const string LockTeam = "SELECT 1 FROM merchants WHERE merchant_id = @MerchantId FOR NO KEY UPDATE";

        public const string Lock = $"""
            {TeamMemberRow.Columns}
             WHERE t.team_member_id = @TeamMemberId
               AND t.merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        public const string Change = """
            UPDATE team_members
               SET name = @Name, role = @Role, version = @Version, removed_at = @RemovedAt
             WHERE team_member_id = @TeamMemberId
            """;

        public const string CountOwners = """
            SELECT count(*)
              FROM team_members
             WHERE merchant_id = @MerchantId
               AND role = 'owner'
               AND removed_at IS NULL
            """;
    }
}
